package notice

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

type blockKind string

const (
	paragraphBlock blockKind = "paragraph"
	headingBlock   blockKind = "heading"
	listBlock      blockKind = "list"
	actionBlock    blockKind = "action"
	codeBlock      blockKind = "code"
)

// block is one piece of a notice. Text, HTML and Message are laid out from the same blocks, so they can't disagree.
type block struct {
	Kind     blockKind
	Text     string
	Items    []string // of a list
	Link     string   // of an action
	mailOnly bool     // not in the Internal Message
}

func paragraph(text string) block { return block{Kind: paragraphBlock, Text: text} }
func heading(text string) block   { return block{Kind: headingBlock, Text: text} }
func list(items []string) block   { return block{Kind: listBlock, Items: items} }
func mailOnly(text string) block  { return block{Kind: paragraphBlock, Text: text, mailOnly: true} }
func (b block) separator() string {
	if b.Kind == headingBlock {
		return "\n"
	}
	return "\n\n"
}

func (b block) plain() string {
	switch b.Kind {
	case listBlock:
		return "- " + strings.Join(b.Items, "\n- ")
	case actionBlock:
		return b.Text + "\n" + b.Link
	case paragraphBlock, headingBlock, codeBlock:
		return b.Text
	}
	return b.Text
}

// plain lays blocks out as text: a heading stands right above what it heads, and everything else apart.
func plain(blocks []block, message bool) string {
	var out strings.Builder
	separator := ""
	for _, b := range blocks {
		if message && b.mailOnly {
			continue
		}
		out.WriteString(separator)
		out.WriteString(b.plain())
		separator = b.separator()
	}
	out.WriteString("\n")
	return out.String()
}

// lay writes the blocks as text, HTML and Internal Message, and returns what went wrong while they were composed.
func lay(w *writer, subject, brandColor string, blocks []block) (Rendered, error) {
	blocks = append(blocks, mailOnly(w.say("signature")))
	footer := w.say("footer")
	if w.err != nil {
		return Rendered{}, w.err
	}
	rendered := Rendered{
		Subject: subject, Text: plain(append(blocks[:len(blocks):len(blocks)], mailOnly(footer)), false), Message: plain(blocks, true), Language: w.set.Locale,
	}
	accent, ink := accentOf(brandColor)
	page, err := mailPage()
	if err != nil {
		return Rendered{}, fmt.Errorf("render notice: %w", err)
	}
	var html strings.Builder
	err = page.Execute(&html, map[string]any{
		"Language": w.set.Locale, "Subject": subject, "Brand": w.values["brand"], "Accent": accent, "Ink": ink, "Blocks": blocks, "Footer": footer,
	})
	if err != nil {
		return Rendered{}, fmt.Errorf("render notice: %w", err)
	}
	rendered.HTML = html.String()
	return rendered, nil
}

// defaultAccent is the colour of a tenant that has chosen none.
const defaultAccent = "#1f4e79"

var hexColor = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// accentOf returns the tenant's colour and the ink, black or white, that contrasts more with it (WCAG 2.2, relative luminance and
// contrast ratio), so that the button can be read whatever colour a tenant chose.
func accentOf(color string) (accent, ink string) {
	if !hexColor.MatchString(color) {
		color = defaultAccent
	}
	rgb, err := strconv.ParseUint(color[1:], 16, 32)
	if err != nil {
		return defaultAccent, "#ffffff"
	}
	linear := func(shift uint) float64 {
		c := float64(rgb>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	luminance := 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
	if 1.05/(luminance+0.05) >= (luminance+0.05)/0.05 {
		return color, "#ffffff"
	}
	return color, "#000000"
}

// The page sets no background and no text colour of its own but on the button, so it follows a reader's light or dark mode. It
// loads nothing from anywhere: no image, no font, no counter of who opened it.
var mailPage = sync.OnceValues(func() (*template.Template, error) {
	return template.New("mail").Parse(`<!doctype html>
<html lang="{{.Language}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{.Subject}}</title>
</head>
<body style="margin:0;padding:24px 16px;font-family:system-ui,-apple-system,'Segoe UI',Roboto,'PingFang SC','Microsoft YaHei',sans-serif;font-size:16px;line-height:1.6">
<div role="article" lang="{{.Language}}" style="max-width:600px;margin:0 auto">
<p style="margin:0 0 24px;padding:0 0 12px;border-bottom:4px solid {{.Accent}};font-size:18px;font-weight:600">{{.Brand}}</p>
<h1 style="margin:0 0 16px;font-size:24px;line-height:1.3">{{.Subject}}</h1>
{{- range .Blocks}}
{{- if eq .Kind "heading"}}
<h2 style="margin:28px 0 8px;font-size:18px;line-height:1.4">{{.Text}}</h2>
{{- else if eq .Kind "list"}}
<ul style="margin:0 0 16px;padding:0 0 0 24px">
{{- range .Items}}
<li style="margin:0 0 8px">{{.}}</li>
{{- end}}
</ul>
{{- else if eq .Kind "action"}}
<p style="margin:28px 0 12px"><a href="{{.Link}}" style="display:inline-block;padding:12px 24px;border-radius:6px;background-color:{{$.Accent}};color:{{$.Ink}};font-weight:600;text-decoration:none">{{.Text}}</a></p>
<p style="margin:0 0 16px;font-size:14px;word-break:break-all">{{.Link}}</p>
{{- else if eq .Kind "code"}}
<p style="margin:16px 0;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:28px;font-weight:600;letter-spacing:4px">{{.Text}}</p>
{{- else}}
<p style="margin:0 0 16px">{{.Text}}</p>
{{- end}}
{{- end}}
<p style="margin:32px 0 0;padding:12px 0 0;border-top:1px solid #8c8c8c;font-size:13px">{{.Footer}}</p>
</div>
</body>
</html>
`)
})
