package money

import "strings"

// exponents maps every active code of ISO 4217 that has a minor unit, or none because one unit is the smallest (exponent 0), to the
// number of decimal digits of that minor unit. Source: ISO 4217 list one as amended to 2026 (XCG for ANG, ZWG for ZWL, SLE for SLL,
// XAD new). Left out are the codes to which the standard gives no exponent at all ("N.A."): metals, bond units, special drawing
// rights, XTS and XXX; nobody pays with them. The Bulgarian lev (BGN, withdrawn on 1 January 2026) stays, because a payment may be
// told to us up to 400 days after it occurred.
var exponents = table()

func table() map[string]int {
	byExponent := map[int]string{
		0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
		2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD " +
			"CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP " +
			"GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD " +
			"MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP " +
			"PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT " +
			"TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
		3: "BHD IQD JOD KWD LYD OMR TND",
		4: "CLF UYW",
	}
	codes := make(map[string]int, 180)
	for exponent, list := range byExponent {
		for code := range strings.FieldsSeq(list) {
			codes[code] = exponent
		}
	}
	return codes
}
