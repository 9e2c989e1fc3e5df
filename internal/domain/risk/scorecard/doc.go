// Package scorecard is a glass-box model of payment fraud: a sum of tables.
//
// Every feature of a payment (a number, or missing) falls into one bin of its table and gets that bin's points; a few pairs of features
// have tables of their own. The score is the base plus all of these points, so every score decomposes exactly into parts that a person
// can read, and a table can be read, questioned and changed like a price list. Points are whole hundredths and are added as
// whole numbers: a score does not depend on the order of addition or on the processor. Twenty points double the odds of fraud.
// A calibration table turns the score into a probability.
//
// A Model is data ([Parse], [Model.AppendYAML]); [Train] learns one from labelled payments by boosting in rounds, as an explainable boosting
// machine does (Lou, Caruana, Gehrke, Hooker 2013, "Accurate intelligible models with pairwise interactions"; Nori et al. 2019,
// "InterpretML"). Training is deterministic: the same data and options give the same bytes, whatever the number of processors.
//
// The package knows nothing of payments: what a feature means, and how it is computed, is the policy's business. The guide is
// docs/guides/scorecard.md.
package scorecard
