// Package backtest says how good a payment policy would have been: it streams past payments in the order of time through the engine, tells
// it what turned out to be fraud no earlier than that became known, and measures the decisions against the truth.
//
// A Run is fed row by row (Add) and asked for a Report at the end. The measures of ranking (Ranking, CardPrecision) follow the definitions
// that published results use, so that the figures can be compared: average precision is that of scikit-learn, the area under the ROC curve
// counts ties as half, and card precision is that of the Fraud Detection Handbook (Le Borgne and others, 2022, chapter "Performance
// metrics"). The guide is docs/guides/backtesting.md.
package backtest
