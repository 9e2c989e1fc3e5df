package service

import "testing"

func TestEachTenantTriesOnePolicyAtATimeAndFewDoAtOnce(t *testing.T) {
	var running trials
	if !running.begin("one") || running.begin("one") || !running.begin("two") {
		t.Fatal("a tenant waits for another, or has two trials")
	}
	if running.begin("three") {
		t.Error("more run at once than there is room for")
	}
	running.end("one")
	if !running.begin("three") || running.begin("one") {
		t.Error("the room that was left was not given to the next")
	}
}
