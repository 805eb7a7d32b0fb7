//! Addresses of electronic mail, as far as they can be checked without sending any.

/// As long as an address may be in an envelope (RFC 5321, section 4.5.3.1).
pub(crate) const BYTES_MAX: usize = 254;
/// The rule for those who read the document, narrower than what is taken: the length is in bytes.
pub(crate) const PATTERN: &str = r"^[!-~]+@[!-?A-~]+$";

/// The rule of an address: something before an `@`, something after it, and nothing that cannot be seen.
pub(crate) fn address(text: &str, (): &()) -> garde::Result {
    let visible = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    let parts = text.rsplit_once('@');
    let complete = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    match visible && complete && text.len() <= BYTES_MAX {
        true => Ok(()),
        false => Err(garde::Error::new("not an address such as ann@example.com")),
    }
}
