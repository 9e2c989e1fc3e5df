package notice

import "testing"

func TestMethodKindName(t *testing.T) {
	for _, c := range []struct{ locale, kind, want string }{
		{"en", "bank_account", "bank account"}, {"zh-CN", "card", "银行卡"}, {"zh-TW", "wallet", "电子钱包"}, {"", "card", "card"}, {"en", "barter", "barter"},
	} {
		if got := MethodKindName(c.locale, c.kind); got != c.want {
			t.Errorf("%s in %q: got %q, want %q", c.kind, c.locale, got, c.want)
		}
	}
}
