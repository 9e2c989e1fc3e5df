package netguard

import "net/netip"

// notPublic4 lists the IPv4 blocks that are not globally reachable or not for one host (IANA IPv4 Special-Purpose Address Registry,
// RFC 6890, with multicast and the reserved class E).
func notPublic4() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8",       // this network, RFC 791
		"10.0.0.0/8",      // private, RFC 1918
		"100.64.0.0/10",   // carrier-grade NAT, RFC 6598
		"127.0.0.0/8",     // loopback
		"169.254.0.0/16",  // link-local; clouds serve credentials here
		"172.16.0.0/12",   // private
		"192.0.0.0/24",    // IETF protocol assignments
		"192.0.2.0/24",    // documentation
		"192.88.99.0/24",  // 6to4 relay, RFC 7526
		"192.168.0.0/16",  // private
		"198.18.0.0/15",   // benchmarking
		"198.51.100.0/24", // documentation
		"203.0.113.0/24",  // documentation
		"224.0.0.0/4",     // multicast
		"240.0.0.0/4",     // reserved, and broadcast
	)
}

// notPublic6 lists the parts of 2000::/3 that are not ordinary unicast. Everything outside 2000::/3 is refused without a list, which
// covers loopback, unspecified, link-local, unique local, multicast, IPv4-compatible and NAT64 (64:ff9b::/96, 64:ff9b:1::/48).
func notPublic6() []netip.Prefix {
	return prefixes(
		"2001::/23",     // IETF protocol assignments, Teredo among them: it carries an IPv4 address
		"2001:db8::/32", // documentation
		"2002::/16",     // 6to4: it carries an IPv4 address
		"3fff::/20",     // documentation, RFC 9637
	)
}

func prefixes(texts ...string) []netip.Prefix {
	list := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		list[i] = netip.MustParsePrefix(text)
	}
	return list
}

// isPublic reports whether an unmapped address is globally reachable unicast.
func isPublic(address netip.Addr) bool {
	if !address.IsValid() {
		return false
	}
	blocks := notPublic4()
	if address.Is6() {
		if !netip.MustParsePrefix("2000::/3").Contains(address) {
			return false
		}
		blocks = notPublic6()
	}
	for _, block := range blocks {
		if block.Contains(address) {
			return false
		}
	}
	return true
}
