package scorecard

import (
	"bytes"
	"strconv"
	"strings"
)

// AppendYAML appends the model as a YAML document that Parse reads back to the same model. The same model always gives the same bytes.
func (m *Model) AppendYAML(dst []byte) []byte {
	w := &writer{}
	w.Write(dst)
	w.line(0, "scorecard: "+m.Name)
	w.line(0, "points_per_doubling: "+strconv.Itoa(PointsPerDoubling))
	w.provenance(&m.Provenance)
	w.line(0, "base: "+m.Base.String())
	if len(m.Thresholds) > 0 {
		w.line(0, "thresholds:")
	}
	for _, t := range m.Thresholds {
		w.line(1, "- name: "+t.Name)
		w.line(2, "points: "+t.Points.String())
		w.line(2, "probability: "+decimal(t.Probability))
		w.line(2, "basis: "+quote(t.Basis))
		w.line(2, "alerts_per_day: "+decimal(t.AlertsPerDay))
		w.line(2, "precision: "+decimal(t.Precision))
		w.line(2, "recall: "+decimal(t.Recall))
	}
	w.line(0, "calibration:")
	for _, k := range m.Calibration {
		w.line(1, "- {points: "+k.Points.String()+", probability: "+decimal(k.Probability)+"}")
	}
	w.line(0, "features:")
	for i := range m.Features {
		w.feature(&m.Features[i])
	}
	if len(m.Pairs) > 0 {
		w.line(0, "pairs:")
	}
	for _, p := range m.Pairs {
		w.line(1, "- features: ["+m.Features[p.First].Name+", "+m.Features[p.Second].Name+"]")
		w.line(2, "first_edges: "+edgeList(p.FirstEdges))
		w.line(2, "second_edges: "+edgeList(p.SecondEdges))
		w.line(2, "points: # rows: missing, then the bins of the first; columns: missing, then the bins of the second")
		for _, row := range p.Points {
			cells := make([]string, len(row))
			for i, cell := range row {
				cells[i] = cell.String()
			}
			w.line(3, "- ["+strings.Join(cells, ", ")+"]")
		}
	}
	return w.Bytes()
}

type writer struct{ bytes.Buffer }

func (w *writer) line(indent int, text string) {
	for range indent {
		w.WriteString("  ")
	}
	w.WriteString(text)
	w.WriteByte('\n')
}

func (w *writer) provenance(p *Provenance) {
	w.line(0, "provenance:")
	w.line(1, "trained_from: "+orUnknown(p.TrainedFrom))
	w.line(1, "trained_to: "+orUnknown(p.TrainedTo))
	w.line(1, "validated_from: "+orUnknown(p.ValidatedFrom))
	w.line(1, "validated_to: "+orUnknown(p.ValidatedTo))
	w.line(1, "label_delay_days: "+strconv.FormatInt(p.LabelDelayDays, 10))
	w.line(1, "payments: "+strconv.FormatInt(p.Payments, 10))
	w.line(1, "frauds: "+strconv.FormatInt(p.Frauds, 10))
	w.line(1, "fingerprint: "+p.Fingerprint)
	w.line(1, "settings: "+quote(p.Settings))
	w.line(1, "average_precision: "+decimal(p.AveragePrecision))
	w.line(1, "auc_roc: "+decimal(p.AUCROC))
	w.line(1, "log_loss: "+decimal(p.LogLoss))
}

// orUnknown writes a date that nobody filled in as one that says so.
func orUnknown(date string) string {
	if date == "" {
		return "0001-01-01"
	}
	return date
}

func (w *writer) feature(f *Feature) {
	w.line(1, "- name: "+f.Name)
	w.line(2, "meaning: "+quote(f.Meaning))
	switch f.Monotone {
	case Increasing:
		w.line(2, "monotone: increasing")
	case Decreasing:
		w.line(2, "monotone: decreasing")
	case Free:
	}
	w.line(2, "missing: {"+binText(f.Missing)+"}")
	w.line(2, "bins:")
	for i, bin := range f.Bins {
		below := ""
		if i < len(f.Edges) {
			below = "below: " + decimal(f.Edges[i]) + ", "
		}
		w.line(3, "- {"+below+binText(bin)+"}")
	}
}

func binText(b Bin) string {
	return "points: " + b.Points.String() + ", payments: " + strconv.FormatInt(b.Payments, 10) + ", frauds: " + strconv.FormatInt(b.Frauds, 10)
}

func edgeList(edges []float64) string {
	texts := make([]string, len(edges))
	for i, edge := range edges {
		texts[i] = decimal(edge)
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// decimal returns the shortest text that reads back as the same number.
func decimal(value float64) string { return strconv.FormatFloat(value, 'g', -1, 64) }

// quote returns a text as a YAML double-quoted scalar: all escapes that Go writes are also YAML's.
func quote(text string) string { return strconv.Quote(text) }
