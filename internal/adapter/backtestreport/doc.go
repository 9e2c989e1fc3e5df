// Package backtestreport draws what a backtest measured: as one HTML file that needs nothing else, no script, no font and no network, so
// that it can be attached to a decision and still be read in ten years; and as single SVG plots for other pages.
//
// Plots name their colours by CSS variables (--series-1 and so on) and classes only, so that a page with a strict content security policy can
// show them, and so that they follow the reader's light or dark theme.
package backtestreport
