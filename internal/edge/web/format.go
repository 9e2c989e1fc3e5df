package web

import (
	"fmt"
	"strconv"
	"time"
)

// chineseWeekdays is indexed by time.Weekday.
func chineseWeekday(day time.Weekday) string {
	return [...]string{"星期日", "星期一", "星期二", "星期三", "星期四", "星期五", "星期六"}[day]
}

// FormatInstant writes an instant for people, in their zone, and names the zone, because a due time without one is a guess:
// "Friday 13 February 2026, 23:59 (Asia/Shanghai)", "2026年2月13日 星期五 23:59（Asia/Shanghai）". A nil zone is UTC.
func FormatInstant(t time.Time, zone *time.Location, locale string) string {
	local := inZone(t, zone)
	if Match(locale) == SimplifiedChinese {
		return fmt.Sprintf("%s %s（%s）", FormatDate(t, zone, locale), local.Format("15:04"), local.Location())
	}
	return fmt.Sprintf("%s, %s (%s)", FormatDate(t, zone, locale), local.Format("15:04"), local.Location())
}

// FormatDate writes the date that an instant falls on in the zone: "Friday 13 February 2026", "2026年2月13日 星期五".
func FormatDate(t time.Time, zone *time.Location, locale string) string {
	local := inZone(t, zone)
	if Match(locale) == SimplifiedChinese {
		return fmt.Sprintf("%d年%d月%d日 %s", local.Year(), int(local.Month()), local.Day(), chineseWeekday(local.Weekday()))
	}
	return local.Format("Monday 2 January 2006")
}

// FormatShort writes an instant for a table, without weekday and zone: "13 Feb 2026, 23:59", "2026年2月13日 23:59". The table says
// the zone once.
func FormatShort(t time.Time, zone *time.Location, locale string) string {
	local := inZone(t, zone)
	if Match(locale) == SimplifiedChinese {
		return local.Format("2006年1月2日 15:04")
	}
	return local.Format("2 Jan 2006, 15:04")
}

// FormatRemaining writes how long is left, or how long ago it was when d is negative, in its largest one or two units:
// "in 1 day 3 hours", "5 minutes ago"; "1天3小时后", "5分钟前".
func FormatRemaining(d time.Duration, locale string) string {
	key := "time.in"
	if d < 0 {
		key, d = "time.ago", -d
	}
	locale = Match(locale)
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	gap := " "
	if locale == SimplifiedChinese {
		gap = ""
	}
	span := ""
	switch {
	case days > 0 && hours > 0:
		span = kit().N(locale, "time.days", days) + gap + kit().N(locale, "time.hours", hours)
	case days > 0:
		span = kit().N(locale, "time.days", days)
	case hours > 0 && minutes > 0:
		span = kit().N(locale, "time.hours", hours) + gap + kit().N(locale, "time.minutes", minutes)
	case hours > 0:
		span = kit().N(locale, "time.hours", hours)
	case minutes > 0:
		span = kit().N(locale, "time.minutes", minutes)
	default:
		return kit().T(locale, "time.now")
	}
	return kit().T(locale, key, "span", span)
}

// Stamp writes an instant for machines (RFC 3339, UTC), as the datetime attribute of a <time> element wants it.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// FormatBytes writes a size for people, in decimal units: "640 kB", "4.2 MB".
func FormatBytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1_000_000:
		return strconv.FormatInt((n+500)/1000, 10) + " kB"
	case n%1_000_000 == 0:
		return strconv.FormatInt(n/1_000_000, 10) + " MB"
	default:
		return strconv.FormatFloat(float64(n)/1e6, 'f', 1, 64) + " MB"
	}
}

func inZone(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone)
}
