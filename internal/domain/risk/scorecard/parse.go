package scorecard

import (
	"math"
	"regexp"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/probity/probity/internal/standard/strictyaml"
)

// MaxBytes bounds the text of a model.
const MaxBytes = 1 << 20

// maxCount bounds counts of payments: whole numbers that a float64 holds exactly.
const maxCount = 1 << 53

// maxEdge bounds the edges of bins: enough for any amount in minor units.
const maxEdge = 1e18

var (
	wordShape        = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
	fingerprintShape = regexp.MustCompile(`^[a-z0-9]{1,64}$`)
)

// Parse reads and compiles a model. It is strict: unknown and missing keys, wrong types and tables that do not fit together are
// refused, all at once, with line and column. A non-nil error is a *strictyaml.Error.
func Parse(data []byte) (*Model, error) {
	root, faults := strictyaml.Read(data, "scorecard", MaxBytes)
	m := ParseNode(faults, root, "")
	return m, faults.Err()
}

// ParseNode reads and compiles a model that is part of a larger YAML document, as a policy, at the path there. It returns nil after adding
// what is wrong with it to the document's faults.
func ParseNode(f *strictyaml.Faults, root *yaml.Node, path string) *Model {
	before := f.Len()
	top := strictyaml.NewMapping(f, root, path, "scorecard", "points_per_doubling", "provenance", "base", "thresholds?", "calibration", "features", "pairs?")
	m := &Model{
		Name:       top.Matching("scorecard", wordShape, "a lower-case word, as payments"),
		Provenance: readProvenance(top),
		Base:       points(top, "base"),
	}
	top.Whole("points_per_doubling", PointsPerDoubling, PointsPerDoubling)
	m.readThresholds(top)
	m.readCalibration(top)
	m.readFeatures(top)
	if f.Len() == before {
		m.readPairs(top)
	}
	if f.Len() > before || root.Kind == 0 { // an empty root is what a fault left behind
		return nil
	}
	if err := m.Compile(); err != nil {
		f.Add(root, path, "%v", err)
		return nil
	}
	return m
}

func readProvenance(top strictyaml.Mapping) Provenance {
	if !top.Has("provenance") {
		return Provenance{}
	}
	o := top.Child("provenance", "trained_from", "trained_to", "validated_from", "validated_to", "label_delay_days",
		"payments", "frauds", "fingerprint", "settings", "average_precision", "auc_roc", "log_loss")
	return Provenance{
		TrainedFrom: o.Date("trained_from"), TrainedTo: o.Date("trained_to"),
		ValidatedFrom: o.Date("validated_from"), ValidatedTo: o.Date("validated_to"),
		LabelDelayDays: o.Whole("label_delay_days", 0, 3660),
		Payments:       o.Whole("payments", 0, maxCount), Frauds: o.Whole("frauds", 0, maxCount),
		Fingerprint:      o.Matching("fingerprint", fingerprintShape, "lower-case letters and digits"),
		Settings:         o.TextOrBlank("settings", 1024),
		AveragePrecision: o.Number("average_precision", 0, 1), AUCROC: o.Number("auc_roc", 0, 1), LogLoss: o.Number("log_loss", 0, 1e6),
	}
}

func (m *Model) readThresholds(top strictyaml.Mapping) {
	taken := map[string]bool{}
	for i, node := range top.List("thresholds", 1, MaxThresholds) {
		o := strictyaml.NewMapping(top.Faults, node, top.At("thresholds["+strconv.Itoa(i)+"]"),
			"name", "points", "probability", "basis", "alerts_per_day", "precision", "recall")
		t := Threshold{
			Name: o.Matching("name", wordShape, "a lower-case word, as review"), Points: points(o, "points"),
			Probability: o.Number("probability", 0, 1), Basis: o.TextOrBlank("basis", 1024), AlertsPerDay: o.Number("alerts_per_day", 0, 1e12),
			Precision: o.Number("precision", 0, 1), Recall: o.Number("recall", 0, 1),
		}
		if t.Name != "" && taken[t.Name] {
			o.Refuse("name", "another threshold has this name")
		}
		taken[t.Name] = true
		m.Thresholds = append(m.Thresholds, t)
	}
}

func (m *Model) readCalibration(top strictyaml.Mapping) {
	for i, node := range top.List("calibration", 2, MaxKnots) {
		o := strictyaml.NewMapping(top.Faults, node, top.At("calibration["+strconv.Itoa(i)+"]"), "points", "probability")
		knot := Knot{Points: points(o, "points"), Probability: o.Number("probability", 0, 1)}
		if i > 0 && len(m.Calibration) == i && (knot.Points <= m.Calibration[i-1].Points || knot.Probability < m.Calibration[i-1].Probability) {
			o.Faults.Add(node, o.Path, "points must grow from knot to knot, and probability must not fall")
		}
		m.Calibration = append(m.Calibration, knot)
	}
}

func (m *Model) readFeatures(top strictyaml.Mapping) {
	taken := map[string]bool{}
	for i, node := range top.List("features", 1, MaxFeatures) {
		o := strictyaml.NewMapping(top.Faults, node, top.At("features["+strconv.Itoa(i)+"]"), "name", "meaning", "monotone?", "missing", "bins")
		feature := Feature{
			Name:    o.Matching("name", wordShape, "a lower-case word, as amount_ratio"),
			Meaning: o.TextOrBlank("meaning", 1024),
		}
		if feature.Name != "" && taken[feature.Name] {
			o.Refuse("name", "another feature has this name")
		}
		taken[feature.Name] = true
		switch o.OneOf("monotone", "increasing", "decreasing") {
		case "increasing":
			feature.Monotone = Increasing
		case "decreasing":
			feature.Monotone = Decreasing
		}
		if o.Has("missing") {
			feature.Missing = readBin(o.Child("missing", "points", "payments", "frauds"))
		}
		feature.readBins(o)
		m.Features = append(m.Features, feature)
	}
}

func readBin(o strictyaml.Mapping) Bin {
	return Bin{Points: points(o, "points"), Payments: o.Whole("payments", 0, maxCount), Frauds: o.Whole("frauds", 0, maxCount)}
}

func (f *Feature) readBins(o strictyaml.Mapping) {
	nodes := o.List("bins", 1, MaxEdges+1)
	for i, node := range nodes {
		path := o.At("bins[" + strconv.Itoa(i) + "]")
		keys := []string{"below", "points", "payments", "frauds"}
		last := i == len(nodes)-1
		if last {
			keys = keys[1:]
		}
		b := strictyaml.NewMapping(o.Faults, node, path, keys...)
		bin := readBin(b)
		if !last {
			edge := b.Number("below", -maxEdge, maxEdge)
			if i > 0 && edge <= f.Edges[i-1] {
				b.Faults.Add(node, path, "below must grow from bin to bin; only the last bin has none")
			}
			f.Edges = append(f.Edges, edge)
		}
		if i > 0 && (f.Monotone == Increasing && bin.Points < f.Bins[i-1].Points || f.Monotone == Decreasing && bin.Points > f.Bins[i-1].Points) {
			b.Faults.Add(node, path, "the points break the feature's monotone direction")
		}
		f.Bins = append(f.Bins, bin)
	}
}

func (m *Model) readPairs(top strictyaml.Mapping) {
	taken := map[[2]int]bool{}
	for i, node := range top.List("pairs", 1, MaxPairs) {
		o := strictyaml.NewMapping(top.Faults, node, top.At("pairs["+strconv.Itoa(i)+"]"), "features", "first_edges", "second_edges", "points")
		names := o.List("features", 2, 2)
		if len(names) != 2 {
			continue
		}
		p := Pair{First: m.FeatureIndex(names[0].Value), Second: m.FeatureIndex(names[1].Value)}
		if p.First < 0 || p.Second < 0 || p.First >= p.Second || taken[[2]int{p.First, p.Second}] {
			o.Refuse("features", "must be two features of the model in its order, each two at most once")
			continue
		}
		taken[[2]int{p.First, p.Second}] = true
		p.FirstEdges = readEdges(o, "first_edges", m.Features[p.First].Edges)
		p.SecondEdges = readEdges(o, "second_edges", m.Features[p.Second].Edges)
		rows := len(p.FirstEdges) + 2
		for r, row := range o.List("points", rows, rows) {
			path := o.At("points[" + strconv.Itoa(r) + "]")
			columns := len(p.SecondEdges) + 2
			cells := make([]Points, 0, columns)
			for _, cell := range o.Faults.Entries(row, path, columns, columns) {
				cells = append(cells, readPoints(o.Faults, cell, path))
			}
			p.Points = append(p.Points, cells)
		}
		m.Pairs = append(m.Pairs, p)
	}
}

// readEdges reads the coarse edges of one side of a pair, which are among the feature's own.
func readEdges(o strictyaml.Mapping, key string, fine []float64) []float64 {
	var out []float64
	for _, node := range o.List(key, 0, MaxPairEdges) {
		edge := o.Faults.Number(node, o.At(key), -maxEdge, maxEdge)
		if _, found := slices.BinarySearch(fine, edge); !found || len(out) > 0 && edge <= out[len(out)-1] {
			o.Faults.Add(node, o.At(key), "must be edges of the feature's own bins, ascending")
		}
		out = append(out, edge)
	}
	return out
}

// points reads the points under a key, 0 when they are missing.
func points(o strictyaml.Mapping, key string) Points {
	if !o.Has(key) {
		return 0
	}
	return readPoints(o.Faults, o.Fields[key], o.At(key))
}

func readPoints(f *strictyaml.Faults, node *yaml.Node, path string) Points {
	value := f.Number(node, path, -maxPoints/100, maxPoints/100)
	hundredths := math.Round(value * 100)
	if math.Abs(float64(value*100)-hundredths) > 1e-6 {
		f.Add(node, path, "must be points with at most 2 decimals")
	}
	return Points(hundredths)
}
