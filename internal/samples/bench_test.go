package samples_test

import (
	"testing"

	"github.com/probity/probity/internal/samples"
)

// BenchmarkDraw is most of what a first start of the demo costs.
func BenchmarkDraw(b *testing.B) {
	for b.Loop() {
		if _, err := samples.Draw(samples.Default()); err != nil {
			b.Fatal(err)
		}
	}
}
