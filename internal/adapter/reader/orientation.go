package reader

import (
	"bytes"
	"encoding/binary"
	"image"
)

// Orientation values of EXIF 2.32 §4.6.4, tag 0x0112: 1 is upright; 2 mirrored; 3 half a turn; 4 flipped; 5 transposed; 6 to be turned
// a quarter clockwise; 7 transversed; 8 to be turned a quarter anticlockwise.
const upright = 1

const (
	orientationTag = 0x0112
	typeShort      = 3
)

// orientationOf finds the orientation a camera noted, and 1 whenever it is absent or cannot be read: a damaged note is no reason to
// refuse a picture.
func orientationOf(raw []byte, mediaType MediaType) int {
	switch mediaType {
	case JPEG:
		return orientationOfJPEG(raw)
	case PNG:
		return orientationOfPNG(raw)
	case WebP:
		return orientationOfWebP(raw)
	default: // PDF turns its own pages
		return upright
	}
}

// orientationOfJPEG looks in the first APP1 segment that begins with "Exif\0\0".
func orientationOfJPEG(raw []byte) int {
	orientation := upright
	eachSegment(raw, func(marker byte, payload []byte) bool {
		body, isExif := bytes.CutPrefix(payload, []byte("Exif\x00\x00"))
		if marker == 0xe1 && isExif {
			orientation = orientationOfTIFF(body)
			return false
		}
		return true
	})
	return orientation
}

// mayBeProgressive reports whether a JPEG may be coded in several passes (SOF2): it is not only when a frame of another sort is found
// where the standard wants it. Decoders pass over stray bytes between segments and eachSegment does not, so what it cannot follow to a
// frame is taken for the costlier sort.
func mayBeProgressive(raw []byte) bool {
	single := false
	eachSegment(raw, func(marker byte, _ []byte) bool {
		frame := marker >= 0xc0 && marker <= 0xc2 // the sorts that the decoder knows
		single = frame && marker != 0xc2
		return !frame
	})
	return !single
}

// eachSegment calls visit for the marker segments before the first scan, until it returns false or the file leaves the standard's order
// (ITU-T T.81 annex B).
func eachSegment(raw []byte, visit func(marker byte, payload []byte) bool) {
	for at := 2; at+4 <= len(raw) && raw[at] == 0xff; {
		marker := raw[at+1]
		if marker == 0xff { // a fill byte
			at++
			continue
		}
		// Start of scan, end of image, and what has no length behind it: what follows would be read at places that the file chooses.
		if marker <= 0x01 || marker >= 0xd0 && marker <= 0xda {
			return
		}
		length := int(binary.BigEndian.Uint16(raw[at+2:]))
		if length < 2 || at+2+length > len(raw) || !visit(marker, raw[at+4:at+2+length]) {
			return
		}
		at += 2 + length
	}
}

// orientationOfPNG looks in the eXIf chunk (PNG third edition §11.3.4.5).
func orientationOfPNG(raw []byte) int {
	for at := 8; at+8 <= len(raw); {
		length := int(binary.BigEndian.Uint32(raw[at:]))
		if length > len(raw)-at-8 {
			return upright
		}
		if string(raw[at+4:at+8]) == "eXIf" {
			return orientationOfTIFF(raw[at+8 : at+8+length])
		}
		at += 12 + length // length, type and checksum are four bytes each
	}
	return upright
}

// orientationOfWebP looks in the EXIF chunk (RFC 9649 §2.7).
func orientationOfWebP(raw []byte) int {
	for at := 12; at+8 <= len(raw); {
		length := int(binary.LittleEndian.Uint32(raw[at+4:]))
		if length > len(raw)-at-8 {
			return upright
		}
		if string(raw[at:at+4]) == "EXIF" {
			// Some programs keep the JPEG's prefix.
			return orientationOfTIFF(bytes.TrimPrefix(raw[at+8:at+8+length], []byte("Exif\x00\x00")))
		}
		at += 8 + length + length&1
	}
	return upright
}

// orientationOfTIFF reads the tag from the first directory of a TIFF structure, of which EXIF is one.
func orientationOfTIFF(body []byte) int {
	if len(body) < 8 {
		return upright
	}
	var order binary.ByteOrder
	switch string(body[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return upright
	}
	directory := uint64(order.Uint32(body[4:]))
	if directory+2 > uint64(len(body)) {
		return upright
	}
	entries := int(order.Uint16(body[directory:]))
	rest := body[directory+2:]
	for range entries {
		if len(rest) < 12 {
			return upright
		}
		if order.Uint16(rest) == orientationTag && order.Uint16(rest[2:]) == typeShort {
			if value := int(order.Uint16(rest[8:])); value >= 1 && value <= 8 {
				return value
			}
			return upright
		}
		rest = rest[12:]
	}
	return upright
}

// turn returns the picture upright. An upright one comes back as it is.
func turn(picture image.Image, orientation int) image.Image {
	if orientation <= upright || orientation > 8 {
		return picture
	}
	source := toRGBA(picture)
	width, height := source.Rect.Dx(), source.Rect.Dy()
	turned := image.NewRGBA(image.Rect(0, 0, width, height))
	if orientation >= 5 {
		turned = image.NewRGBA(image.Rect(0, 0, height, width))
	}
	for y := range height {
		for x := range width {
			toX, toY := x, y
			switch orientation {
			case 2:
				toX, toY = width-1-x, y
			case 3:
				toX, toY = width-1-x, height-1-y
			case 4:
				toX, toY = x, height-1-y
			case 5:
				toX, toY = y, x
			case 6:
				toX, toY = height-1-y, x
			case 7:
				toX, toY = height-1-y, width-1-x
			case 8:
				toX, toY = y, width-1-x
			}
			from, to := y*source.Stride+4*x, toY*turned.Stride+4*toX
			copy(turned.Pix[to:to+4], source.Pix[from:from+4])
		}
	}
	return turned
}
