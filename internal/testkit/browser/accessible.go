package browser

import "encoding/json"

// defects returns what keeps a person with a screen reader, or with a phone, from using the page.
const defects = `() => {
	const found = [];
	const say = (rule, element) => found.push(rule + ': ' + element.outerHTML.slice(0, 120));
	const named = element => (element.getAttribute('aria-label') || element.getAttribute('title') || (element.checkVisibility() ? element.innerText : element.textContent) || element.value || '').trim() !== '' ||
		(element.getAttribute('aria-labelledby') || '').split(/\s+/).some(id => id && document.getElementById(id)) ||
		[...element.querySelectorAll('img[alt], svg title')].some(inside => (inside.alt || inside.textContent || '').trim() !== '');
	if (!document.documentElement.lang) found.push('the page does not say its language');
	if (document.title.trim() === '') found.push('the page has no title');
	const headings = document.querySelectorAll('h1').length;
	if (headings !== 1) found.push('the page has ' + headings + ' main headings, and needs one');
	if (!document.querySelector('main, [role=main]')) found.push('the page has no main part');
	for (const image of document.querySelectorAll('img:not([alt])')) say('an image without a text', image);
	for (const field of document.querySelectorAll('input, select, textarea')) {
		if (['hidden', 'submit', 'button', 'reset', 'image'].includes(field.type)) continue;
		const labelled = [...(field.labels || [])].some(label => (label.checkVisibility() ? label.innerText : label.textContent).trim() !== '') || field.getAttribute('aria-label') ||
			(field.getAttribute('aria-labelledby') || '').split(/\s+/).some(id => id && document.getElementById(id));
		if (!labelled) say('a field without a label', field);
	}
	for (const control of document.querySelectorAll('button, a[href], [role=button], input[type=submit]'))
		if (!named(control)) say('a control without a name', control);
	for (const cell of document.querySelectorAll('table')) if (!cell.querySelector('th')) say('a table without headings', cell);
	const ids = new Map();
	for (const element of document.querySelectorAll('[id]')) ids.set(element.id, (ids.get(element.id) || 0) + 1);
	for (const [id, count] of ids) if (count > 1) found.push('the id ' + id + ' is used ' + count + ' times');
	for (const element of document.querySelectorAll('[aria-describedby], [aria-labelledby], [aria-controls]'))
		for (const attribute of ['aria-describedby', 'aria-labelledby', 'aria-controls'])
			for (const id of (element.getAttribute(attribute) || '').split(/\s+/))
				if (id && !document.getElementById(id)) say(attribute + ' names ' + id + ', which is not there', element);
	const root = document.documentElement;
	const wide = when => {
		const excess = root.scrollWidth - root.clientWidth;
		if (excess <= 1) return;
		const beyond = [...document.body.querySelectorAll('*')].filter(element => element.getBoundingClientRect().right > root.clientWidth + 1);
		const deepest = beyond.filter(element => !beyond.some(other => other !== element && element.contains(other)));
		found.push('the page is ' + excess + ' pixels wider than its window of ' + root.clientWidth + when + ': ' + location.pathname + ' ' +
			deepest.slice(0, 4).map(element => element.outerHTML.slice(0, 120)).join(' | '));
	};
	wide('');
	// A reader may widen the text, and another machine has wider fonts: neither may push the page out of its window.
	const spacing = new CSSStyleSheet();
	spacing.replaceSync('* { letter-spacing: 0.12em !important; word-spacing: 0.16em !important; line-height: 1.5 !important }');
	document.adoptedStyleSheets = [...document.adoptedStyleSheets, spacing];
	wide(' with the text spacing of WCAG 1.4.12');
	document.adoptedStyleSheets = document.adoptedStyleSheets.filter(sheet => sheet !== spacing);
	return found;
}`

// Accessible fails the test for what keeps a person with a screen reader, or with a phone, from using the page: no language, title,
// main part or single main heading, images without a text, fields without a label, controls without a name, references to what is not there,
// and a page wider than its window, also with the text spacing of WCAG 2.2 §1.4.12. It is a floor, not a proof: it says nothing about contrast or order.
func (p *Page) Accessible() {
	p.t.Helper()
	for _, defect := range Evaluate[[]string](p, "("+defects+")()") {
		p.t.Errorf("not accessible: %s", defect)
	}
}

// quote returns the text as a JavaScript literal.
func quote(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		// A string always marshals: what is not UTF-8 in it becomes U+FFFD.
		return `""`
	}
	return string(literal)
}
