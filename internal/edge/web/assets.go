package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// assetRoot is where Assets must be mounted; AssetURL and the templates point there.
const assetRoot = "/assets/"

type asset struct {
	body        []byte
	hash        string // first 12 hexadecimal digits of its SHA-256
	contentType string
}

// loadAssets reads the embedded files once. They are part of the binary, so a failure is a build that went wrong.
var loadAssets = sync.OnceValue(func() map[string]asset {
	found := map[string]asset{}
	err := fs.WalkDir(assetFiles, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := assetFiles.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		found[strings.TrimPrefix(name, "assets/")] = asset{
			body:        body,
			hash:        hex.EncodeToString(sum[:])[:12],
			contentType: assetType(name),
		}
		return nil
	})
	if err != nil {
		panic("web: embedded assets cannot be read: " + err.Error())
	}
	return found
})

// assetType names the types itself, because mime.TypeByExtension depends on the machine's tables.
func assetType(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	default:
		if found := mime.TypeByExtension(path.Ext(name)); found != "" {
			return found
		}
		return "application/octet-stream"
	}
}

// AssetURL returns the address of an embedded asset, e.g. "/assets/3f2a…/base.css". It holds a hash of the content, so browsers
// may keep it for ever and a new version is a new address. An unknown name gives an address that answers 404.
func AssetURL(name string) string {
	if found, ok := loadAssets()[name]; ok {
		return assetRoot + found.hash + "/" + name
	}
	return assetRoot + name
}

// Assets serves the embedded assets and the brand stylesheets; mount it at "/assets/". Under an address that holds the right
// hash the answer is immutable; under any other (an older page, another node during an upgrade) the current file is served and
// must be revalidated.
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, assetRoot)
		if colour, isBrand := strings.CutPrefix(name, "brand/"); isBrand {
			serveBrand(w, r, colour)
			return
		}
		found, ok := loadAssets()[name]
		hash := ""
		if !ok {
			hash, name, _ = strings.Cut(name, "/")
			found, ok = loadAssets()[name]
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		serveAsset(w, r, found, found.hash == hash)
	})
}

func serveAsset(w http.ResponseWriter, r *http.Request, found asset, immutable bool) {
	header := w.Header()
	etag := `"` + found.hash + `"`
	header.Set("Content-Type", found.contentType)
	header.Set("ETag", etag)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	// An SVG opened by itself is a document: it may style itself, and nothing else.
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	if immutable {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	} else {
		header.Set("Cache-Control", "no-cache")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if r.Method == http.MethodHead {
		return
	}
	// A reader that went away is no concern of ours.
	_, _ = w.Write(found.body)
}
