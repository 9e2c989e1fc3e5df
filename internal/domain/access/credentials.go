package access

import "time"

// APIKey is a credential of the tenant's platform. Only the SHA-256 of its secret is kept.
type APIKey struct {
	ID         string
	TenantID   string
	Name       string
	Hint       string // the last four characters, so that a person can tell keys apart
	Hash       []byte // SHA-256 of the whole key
	CreatedAt  time.Time
	LastUsedAt time.Time // to the hour
	RevokedAt  time.Time
}

// Member is a person of the tenant who signs in to the console.
type Member struct {
	ID             string
	TenantID       string
	Name           string
	Email          string // their sign-in name, unique in the installation
	Role           Role
	PassphraseHash string // argon2id in PHC form
	Failures       int    // refused sign-ins in a row
	LockedUntil    time.Time
	Version        int64
	CreatedAt      time.Time
	DisabledAt     time.Time
}

// LinkPurpose says what a one-time link lets its bearer do.
type LinkPurpose string

// The purposes of one-time links.
const (
	FirstStart    LinkPurpose = "first_start"    // become the tenant's first administrator; opened on localhost only
	StaffInvite   LinkPurpose = "staff_invite"   // join as staff in the role of the link
	PortalSession LinkPurpose = "portal_session" // sign in to one account, handed over by the tenant's own site
)

// Link is a one-time link. Only the SHA-256 of its token is kept; its times are wall time.
type Link struct {
	ID        string
	TenantID  string
	Purpose   LinkPurpose
	Hash      []byte
	AccountID string // portal_session
	Role      Role   // staff_invite
	Email     string // staff_invite
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time
}

// SessionKind says where a session is valid.
type SessionKind string

// The kinds of session.
const (
	ConsoleSession SessionKind = "console"
	HolderSession  SessionKind = "holder"
)

// Session is a signed-in browser. Only the SHA-256 of its token is kept; its times are wall time.
type Session struct {
	ID         string
	TenantID   string
	Kind       SessionKind
	SubjectID  string // staff or account identifier
	Hash       []byte
	CreatedAt  time.Time
	SeenAt     time.Time
	ExpiresAt  time.Time // absolute
	RevokedAt  time.Time
	ReturnPath string
}

// AskedBy says what a browser knew when it asked for a one-time code. Each has a count of its own, so that somebody who only knows an
// e-mail address can't use up the codes of the holder who follows the link of a mail.
type AskedBy string

// What a browser may know.
const (
	ByEmail        AskedBy = "email"
	ByVerification AskedBy = "verification" // from the link of a mail, or the platform's next step
)

// Challenge is a pending sign-in of a holder by a one-time code that is mailed. It is bound to the browser that asked. The code
// itself is made when the mail is sent, and only its hash is kept. Times are wall time.
type Challenge struct {
	ID          string
	TenantID    string
	AccountID   string
	AskedBy     AskedBy
	BrowserHash []byte // SHA-256 of the token in the browser's cookie; shared by the challenges of one request
	CodeHash    []byte // empty until the mail was handed over
	Attempts    int
	CreatedAt   time.Time
	ExpiresAt   time.Time
	UsedAt      time.Time
}
