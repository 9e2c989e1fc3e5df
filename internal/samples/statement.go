package samples

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// drawStatement writes the statement of the last whole month before the person's date: one A4 page with text that can be
// extracted, the holder, the period and the last four digits of the card.
func drawStatement(p person) ([]byte, error) {
	month := p.statementMonth()
	last := month.AddDate(0, 1, -1)
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCreationDate(last.AddDate(0, 0, 1))
	pdf.SetModificationDate(last.AddDate(0, 0, 1))
	pdf.SetCatalogSort(true)
	pdf.SetTitle("Specimen Bank statement "+month.Format("January 2006"), true)
	pdf.SetAuthor("Specimen Bank", true)
	pdf.AddUTF8FontFromBytes("go", "", goregular.TTF)
	pdf.AddUTF8FontFromBytes("go", "B", gobold.TTF)
	pdf.SetMargins(20, 18, 20)
	pdf.SetAutoPageBreak(false, 0)
	pdf.AddPage()
	statementHead(pdf, p, month, last)
	statementRows(pdf, p, month)
	statementFoot(pdf)
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func statementHead(pdf *fpdf.Fpdf, p person, month, last time.Time) {
	pdf.SetFont("go", "B", 92)
	pdf.SetTextColor(240, 243, 242)
	pdf.TransformBegin()
	pdf.TransformRotate(52, 105, 165)
	pdf.Text(12, 178, "SPECIMEN")
	pdf.TransformEnd()
	pdf.SetFillColor(44, 75, 134)
	pdf.Rect(0, 0, 210, 6, "F")
	pdf.RoundedRect(20, 18, 11, 11, 2, "1234", "F")
	at(pdf, 35, 26.5, "B", 19, [3]int{23, 33, 31}, "Specimen Bank")
	grey, black := [3]int{85, 100, 96}, [3]int{23, 33, 31}
	at(pdf, 35, 32, "", 9, grey, "1 Example Square, Amaurot, Utopia · specimen of a bank that does not exist")
	at(pdf, 20, 52, "B", 15, black, "Monthly statement")
	facts := [][2]string{
		{"Account holder", p.fullName()},
		{"Address", fmt.Sprintf("%d Harbour Lane, Amaurot, Utopia", 1+p.seed>>7%120)},
		{"Card ending in", p.last4},
		{"Statement period", month.Format("2 January 2006") + " – " + last.Format("2 January 2006")},
		{"Statement date", last.AddDate(0, 0, 1).Format("2 January 2006")},
	}
	for i, fact := range facts {
		y := 63 + float64(i)*7.5
		at(pdf, 20, y, "", 10.5, grey, fact[0])
		at(pdf, 62, y, "B", 10.5, black, fact[1])
	}
}

// statementRows writes a month of ordinary spending that adds up.
func statementRows(pdf *fpdf.Fpdf, p person, month time.Time) {
	texts := [...]string{"Salary, Hythloday Shipping", "Rent, Harbour Lane", "Corner Grocery", "Amaurot Transit", "Nimbus Cloud",
		"Green Market", "Water and power", "Blue Door Café", "Bookshop on the Quay", "Pharmacy"}
	black, grey := [3]int{23, 33, 31}, [3]int{85, 100, 96}
	top := 112.0
	pdf.SetFillColor(235, 239, 237)
	pdf.Rect(20, top-6, 170, 9, "F")
	for _, head := range []struct {
		x    float64
		text string
	}{{23, "Date"}, {50, "Description"}} {
		at(pdf, head.x, top, "B", 10, black, head.text)
	}
	atRight(pdf, 152, top, "B", 10, black, "Amount (EUR)")
	atRight(pdf, 187, top, "B", 10, black, "Balance (EUR)")
	balance := int64(120_000 + p.seed>>9%200_000)
	at(pdf, 50, top+9, "", 10, grey, "Opening balance")
	atRight(pdf, 187, top+9, "", 10, grey, money(balance))
	state := p.seed
	for i, text := range texts {
		state = state*6364136223846793005 + 1442695040888963407
		amount := -int64(900 + state>>33%9_000)
		switch i {
		case 0:
			amount = 312_000
		case 1:
			amount = -98_000
		}
		balance += amount
		y := top + 18 + float64(i)*8.2
		at(pdf, 23, y, "", 10, black, month.AddDate(0, 0, i*27/9).Format("02 Jan"))
		at(pdf, 50, y, "", 10, black, text)
		atRight(pdf, 152, y, "", 10, black, money(amount))
		atRight(pdf, 187, y, "", 10, black, money(balance))
		pdf.SetDrawColor(216, 223, 219)
		pdf.Line(20, y+2.8, 190, y+2.8)
	}
	y := top + 22 + float64(len(texts))*8.2
	at(pdf, 50, y, "B", 11, black, "Closing balance")
	atRight(pdf, 187, y, "B", 11, black, money(balance))
}

func statementFoot(pdf *fpdf.Fpdf) {
	grey := [3]int{85, 100, 96}
	at(pdf, 20, 276, "B", 10, [3]int{154, 42, 32}, "SPECIMEN: bank, holder and payments are invented.")
	atRight(pdf, 190, 276, "", 10, grey, "Page 1 of 1")
}

// at writes text with its baseline at y, in millimetres and points.
func at(pdf *fpdf.Fpdf, x, y float64, style string, size float64, colour [3]int, text string) {
	pdf.SetFont("go", style, size)
	pdf.SetTextColor(colour[0], colour[1], colour[2])
	pdf.Text(x, y, text)
}

// atRight is at for a text that ends at x.
func atRight(pdf *fpdf.Fpdf, x, y float64, style string, size float64, colour [3]int, text string) {
	pdf.SetFont("go", style, size)
	at(pdf, x-pdf.GetStringWidth(text), y, style, size, colour, text)
}

// money writes an amount in cents as "1,234.56", with a true minus sign.
func money(cents int64) string {
	sign := ""
	if cents < 0 {
		sign, cents = "−", -cents
	}
	whole := fmt.Sprintf("%d", cents/100)
	var grouped strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			grouped.WriteByte(',')
		}
		grouped.WriteRune(r)
	}
	return fmt.Sprintf("%s%s.%02d", sign, grouped.String(), cents%100)
}
