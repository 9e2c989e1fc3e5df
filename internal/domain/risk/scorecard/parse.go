package scorecard

import (
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// MaxBytes bounds the text of a model.
const MaxBytes = 1 << 20

// maxCount bounds counts of payments: whole numbers that a float64 holds exactly.
const maxCount = 1 << 53

// maxEdge bounds the edges of bins: enough for any amount in minor units.
const maxEdge = 1e18

// Parse reads and compiles a model. It is strict: unknown and missing keys, wrong types and tables that do not fit together are
// refused, all at once, with line and column. A non-nil error is an *Error.
func Parse(data []byte) (*Model, error) {
	if len(data) > MaxBytes {
		return nil, &Error{Faults: []Fault{{Message: "the scorecard is longer than " + strconv.Itoa(MaxBytes) + " bytes"}}}
	}
	root, fault := readDocument(data)
	if fault != nil {
		return nil, &Error{Faults: []Fault{*fault}}
	}
	m, list := ParseNode(root)
	if len(list) > 0 {
		return nil, &Error{Faults: list}
	}
	return m, nil
}

// ParseNode reads and compiles a model that is part of a larger YAML document, as a policy. Without faults the model is not nil.
func ParseNode(root *yaml.Node) (*Model, []Fault) {
	f := &faults{}
	if node := findAlias(root); node != nil {
		f.add(node, "", "anchors and aliases are not accepted; write the value out")
		return nil, f.list
	}
	top := newObject(f, root, "", "scorecard", "points_per_doubling", "provenance", "base", "thresholds?", "calibration", "features", "pairs?")
	m := &Model{
		Name:       top.matching("scorecard", wordShape, "a lower-case word, as payments"),
		Provenance: readProvenance(top),
		Base:       top.points("base"),
	}
	top.whole("points_per_doubling", PointsPerDoubling, PointsPerDoubling)
	m.readThresholds(top)
	m.readCalibration(top)
	m.readFeatures(top)
	if len(f.list) == 0 {
		m.readPairs(top)
	}
	if len(f.list) > 0 {
		slices.SortStableFunc(f.list, func(a, b Fault) int { return a.Line - b.Line })
		return nil, f.list
	}
	if err := m.Compile(); err != nil {
		f.add(root, "", "%v", err)
		return nil, f.list
	}
	return m, nil
}

func readProvenance(top object) Provenance {
	node := top.fields["provenance"]
	if node == nil {
		return Provenance{}
	}
	o := newObject(top.faults, node, "provenance", "trained_from", "trained_to", "validated_from", "validated_to", "label_delay_days",
		"payments", "frauds", "fingerprint", "settings", "average_precision", "auc_roc", "log_loss")
	return Provenance{
		TrainedFrom: o.date("trained_from"), TrainedTo: o.date("trained_to"),
		ValidatedFrom: o.date("validated_from"), ValidatedTo: o.date("validated_to"),
		LabelDelayDays: o.whole("label_delay_days", 0, 3660),
		Payments:       o.whole("payments", 0, maxCount), Frauds: o.whole("frauds", 0, maxCount),
		Fingerprint:      o.matching("fingerprint", fingerprintShape, "lower-case letters and digits"),
		Settings:         o.text("settings", 1024),
		AveragePrecision: o.number("average_precision", 0, 1), AUCROC: o.number("auc_roc", 0, 1), LogLoss: o.number("log_loss", 0, 1e6),
	}
}

func (m *Model) readThresholds(top object) {
	taken := map[string]bool{}
	for i, node := range top.list("thresholds", 1, MaxThresholds) {
		o := newObject(top.faults, node, "thresholds["+strconv.Itoa(i)+"]",
			"name", "points", "probability", "basis", "alerts_per_day", "precision", "recall")
		t := Threshold{
			Name: o.matching("name", wordShape, "a lower-case word, as review"), Points: o.points("points"),
			Probability: o.number("probability", 0, 1), Basis: o.text("basis", 1024), AlertsPerDay: o.number("alerts_per_day", 0, 1e12),
			Precision: o.number("precision", 0, 1), Recall: o.number("recall", 0, 1),
		}
		if t.Name != "" && taken[t.Name] {
			o.faults.add(o.fields["name"], o.at("name"), "another threshold has this name")
		}
		taken[t.Name] = true
		m.Thresholds = append(m.Thresholds, t)
	}
}

func (m *Model) readCalibration(top object) {
	for i, node := range top.list("calibration", 2, MaxKnots) {
		o := newObject(top.faults, node, "calibration["+strconv.Itoa(i)+"]", "points", "probability")
		knot := Knot{Points: o.points("points"), Probability: o.number("probability", 0, 1)}
		if i > 0 && len(m.Calibration) == i && (knot.Points <= m.Calibration[i-1].Points || knot.Probability < m.Calibration[i-1].Probability) {
			o.faults.add(node, o.path, "points must grow from knot to knot, and probability must not fall")
		}
		m.Calibration = append(m.Calibration, knot)
	}
}

func (m *Model) readFeatures(top object) {
	taken := map[string]bool{}
	for i, node := range top.list("features", 1, MaxFeatures) {
		o := newObject(top.faults, node, "features["+strconv.Itoa(i)+"]", "name", "meaning", "monotone?", "missing", "bins")
		feature := Feature{
			Name:    o.matching("name", wordShape, "a lower-case word, as amount_ratio"),
			Meaning: o.text("meaning", 1024),
		}
		if feature.Name != "" && taken[feature.Name] {
			o.faults.add(o.fields["name"], o.at("name"), "another feature has this name")
		}
		taken[feature.Name] = true
		switch o.text("monotone", 16) {
		case "increasing":
			feature.Monotone = Increasing
		case "decreasing":
			feature.Monotone = Decreasing
		default:
			if o.fields["monotone"] != nil {
				o.faults.add(o.fields["monotone"], o.at("monotone"), "must be increasing or decreasing, or be left out")
			}
		}
		if missing := o.fields["missing"]; missing != nil {
			feature.Missing = readBin(newObject(o.faults, missing, o.at("missing"), "points", "payments", "frauds"))
		}
		feature.readBins(o)
		m.Features = append(m.Features, feature)
	}
}

func readBin(o object) Bin {
	return Bin{Points: o.points("points"), Payments: o.whole("payments", 0, maxCount), Frauds: o.whole("frauds", 0, maxCount)}
}

func (f *Feature) readBins(o object) {
	nodes := o.list("bins", 1, MaxEdges+1)
	for i, node := range nodes {
		path := o.at("bins[" + strconv.Itoa(i) + "]")
		keys := []string{"below", "points", "payments", "frauds"}
		last := i == len(nodes)-1
		if last {
			keys = keys[1:]
		}
		b := newObject(o.faults, node, path, keys...)
		bin := readBin(b)
		if !last {
			edge := b.number("below", -maxEdge, maxEdge)
			if i > 0 && edge <= f.Edges[i-1] {
				b.faults.add(node, path, "below must grow from bin to bin; only the last bin has none")
			}
			f.Edges = append(f.Edges, edge)
		}
		if i > 0 && (f.Monotone == Increasing && bin.Points < f.Bins[i-1].Points || f.Monotone == Decreasing && bin.Points > f.Bins[i-1].Points) {
			b.faults.add(node, path, "the points break the feature's monotone direction")
		}
		f.Bins = append(f.Bins, bin)
	}
}

func (m *Model) readPairs(top object) {
	taken := map[[2]int]bool{}
	for i, node := range top.list("pairs", 1, MaxPairs) {
		o := newObject(top.faults, node, "pairs["+strconv.Itoa(i)+"]", "features", "first_edges", "second_edges", "points")
		names := o.list("features", 2, 2)
		if len(names) != 2 {
			continue
		}
		p := Pair{First: m.FeatureIndex(names[0].Value), Second: m.FeatureIndex(names[1].Value)}
		if p.First < 0 || p.Second < 0 || p.First >= p.Second || taken[[2]int{p.First, p.Second}] {
			o.faults.add(o.fields["features"], o.at("features"), "must be two features of the model in its order, each two at most once")
			continue
		}
		taken[[2]int{p.First, p.Second}] = true
		p.FirstEdges = o.edges("first_edges", m.Features[p.First].Edges)
		p.SecondEdges = o.edges("second_edges", m.Features[p.Second].Edges)
		rows := len(p.FirstEdges) + 2
		for r, row := range o.list("points", rows, rows) {
			path := o.at("points[" + strconv.Itoa(r) + "]")
			columns := len(p.SecondEdges) + 2
			cells := make([]Points, 0, columns)
			for _, cell := range o.faults.entries(row, path, columns, columns) {
				cells = append(cells, o.faults.points(cell, path))
			}
			p.Points = append(p.Points, cells)
		}
		m.Pairs = append(m.Pairs, p)
	}
}

// edges reads the coarse edges of one side of a pair, which are among the feature's own.
func (o object) edges(key string, fine []float64) []float64 {
	var out []float64
	for _, node := range o.list(key, 0, MaxPairEdges) {
		edge := o.faults.number(node, o.at(key), -maxEdge, maxEdge)
		if _, found := slices.BinarySearch(fine, edge); !found || len(out) > 0 && edge <= out[len(out)-1] {
			o.faults.add(node, o.at(key), "must be edges of the feature's own bins, ascending")
		}
		out = append(out, edge)
	}
	return out
}
