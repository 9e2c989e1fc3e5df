package notice

import (
	"fmt"
	"time"
)

// FormatDue writes a due instant for a reader of the locale, in the zone, e.g. "Friday 13 February 2026, end of day (Asia/Shanghai)"
// or "2026年2月13日（星期五）当天结束前（Asia/Shanghai）". A due instant in the last minute of its day reads as the end of that day; any
// other shows its hour and minute. Without a zone, or in time.Local, which names no place, it is written in UTC.
func FormatDue(at time.Time, zone *time.Location, locale string) string {
	if zone == nil || zone == time.Local {
		zone = time.UTC
	}
	local := at.In(zone)
	endOfDay := local.Hour() == 23 && local.Minute() == 59
	if Language(locale) == SimplifiedChinese {
		weekday := [...]string{"日", "一", "二", "三", "四", "五", "六"}[local.Weekday()]
		day := fmt.Sprintf("%d年%d月%d日（星期%s）", local.Year(), int(local.Month()), local.Day(), weekday)
		if endOfDay {
			return day + "当天结束前（" + zone.String() + "）"
		}
		return day + local.Format("15:04") + " 前（" + zone.String() + "）"
	}
	day := local.Format("Monday 2 January 2006")
	if endOfDay {
		return day + ", end of day (" + zone.String() + ")"
	}
	return day + ", " + local.Format("15:04") + " (" + zone.String() + ")"
}
