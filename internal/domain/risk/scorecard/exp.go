package scorecard

import "math"

// exp returns e to the power of x. Unlike math.Exp it gives the same bits on every processor: the conversions keep each product rounded.
func exp(x float64) float64 {
	const (
		log2e = 1.44269504088896338700e+00
		ln2hi = 6.93147180369123816490e-01
		ln2lo = 1.90821492927058770002e-10
	)
	switch {
	case x > 700:
		x = 700
	case x < -700:
		return 0
	}
	k := math.Floor(float64(x*log2e) + 0.5)
	r := x - float64(k*ln2hi) - float64(k*ln2lo)
	// Taylor's series on |r| <= 0.35: the first term left out is below 1e-16.
	sum := 1.0
	for n := 13.0; n >= 1; n-- {
		sum = 1 + float64(sum*r)/n
	}
	return math.Float64frombits(uint64(int64(1023)+int64(k))<<52) * sum
}

// log returns the natural logarithm of a positive normal number, the same bits on every processor.
func log(x float64) float64 {
	bits := math.Float64bits(x)
	k := float64(int64(bits>>52) - 1023)
	m := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	if m > math.Sqrt2 {
		m /= 2
		k++
	}
	// log m = 2 artanh((m-1)/(m+1)), a series in its square, which is below 0.03.
	s := (m - 1) / (m + 1)
	square := float64(s * s)
	sum := 0.0
	for n := 25.0; n >= 1; n -= 2 {
		sum = 1/n + float64(sum*square)
	}
	return float64(k*math.Ln2) + float64(2*float64(s*sum))
}

// sigmoid returns the probability that log odds mean.
func sigmoid(x float64) float64 { return 1 / (1 + exp(-x)) }

// curve is the sigmoid as a table with straight lines between its entries: boosting asks for it some hundred million times, and an error below
// one millionth does not matter to a gradient.
type curve struct {
	at [curveSteps + 2]float64
}

const (
	curveReach = 18.0 // beyond it the table stays as it is
	curveSteps = 1 << 12
)

func newCurve() *curve {
	c := &curve{}
	for i := range c.at {
		c.at[i] = sigmoid(float64(i)*(2*curveReach/curveSteps) - curveReach)
	}
	return c
}

func (c *curve) sigmoid(x float64) float64 {
	place := float64((x + curveReach) * (curveSteps / (2 * curveReach)))
	if !(place > 0) {
		return c.at[0]
	}
	if place >= curveSteps {
		return c.at[curveSteps]
	}
	i := int(place)
	return c.at[i] + float64((place-float64(i))*(c.at[i+1]-c.at[i]))
}
