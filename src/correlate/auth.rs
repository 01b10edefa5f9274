//! What is known of the scheme that a request was authenticated by.

/// The scheme, as far as it is known. Exchange's own logs name it; else what the pool lets clients log on with is
/// all there is, by its configuration or by default (DOMAIN.md 2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Auth {
    /// Basic or forms: the token is cached.
    Token,
    /// NTLM: the connection is authenticated, as long as it lasts.
    Ntlm,
    /// Negotiate: Kerberos or NTLM.
    Negotiate,
    /// Kerberos: the ticket serves for hours.
    Kerberos,
    /// OAuth: so does the access token, which is not IIS's.
    Bearer,
    /// Not known, but neither Basic nor forms, which are off.
    Other,
    /// Not known; nothing but Basic or forms is on.
    MayBeToken,
    /// Not known; Basic is on beside Windows authentication.
    MayBeBoth,
    /// Not known; Windows authentication is the default, or anything.
    MayBeWindows,
}

impl Auth {
    /// No token cache is involved.
    pub fn uses_no_token(self) -> bool {
        matches!(self, Auth::Ntlm | Auth::Negotiate | Auth::Kerberos | Auth::Bearer | Auth::Other)
    }

    /// Nothing but a cached token or a logon with the password explains a request.
    pub(super) fn is_token_alone(self) -> bool {
        matches!(self, Auth::Token | Auth::MayBeToken)
    }

    /// A domain controller may have taken the old password for it (DOMAIN.md 4.4).
    pub(super) fn may_be_ntlm(self) -> bool {
        matches!(self, Auth::Ntlm | Auth::Negotiate | Auth::Other)
    }
}
