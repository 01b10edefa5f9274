//! Blocks of a log to windows: pieces of whole lines that are looked at in one go.

use crate::vectors::Separators;

/// Bytes looked at in one go: small enough that places and bytes stay in the first-level cache.
pub(crate) const WINDOW: usize = 8 << 10;
/// A line longer than that is no line (IIS cuts at 64 KiB): it is refused without being taken apart.
const LONGEST_LINE: usize = 1 << 20;

/// What a block is cut into.
pub(crate) enum Window<'a> {
    /// Whole lines, and what separates their values.
    Lines(&'a [u8], &'a Separators),
    /// A line that no log writes.
    Endless(Endless),
}

/// Cuts the blocks of a chunk, one after the other.
pub(crate) struct Windows {
    find: fn(&mut Separators, &[u8]),
    separators: Separators,
    /// A line without an end so far that is longer than any log writes.
    endless: Option<Endless>,
}

impl Windows {
    /// Before the first block; `find` finds the separators.
    pub(crate) fn new(find: fn(&mut Separators, &[u8])) -> Self {
        Windows { find, separators: Separators::default(), endless: None }
    }

    /// The next window of a block, taken off its beginning.
    ///
    /// A line that the block does not end is left: the next block has to begin with it, and to hold more of it, unless this
    /// block is the last one or the line is longer than 1 MiB.
    pub(crate) fn next<'w, 'b: 'w>(
        &'w mut self,
        rest: &mut &'b [u8],
        is_last: bool,
    ) -> Option<Window<'w>> {
        if let Some(endless) = self.go_on(rest, is_last) {
            return Some(Window::Endless(endless));
        }
        while !rest.is_empty() {
            // From its first byte to its last, as memory likes it: where the last line ends is known afterwards.
            let piece = rest.get(..WINDOW).unwrap_or(rest);
            (self.find)(&mut self.separators, piece);
            let last = self.separators.line_ends().last();
            let lf = last.and_then(|&last| self.separators.places().get(last as usize));
            let end = match lf {
                _ if is_last && piece.len() == rest.len() => rest.len(),
                Some(&lf) => lf as usize + 1,
                None => match memchr::memchr(b'\n', rest) {
                    Some(at) => at + 1,
                    None if is_last || rest.len() > LONGEST_LINE => rest.len(),
                    None => return None,
                },
            };
            let (window, after) = rest.split_at(end);
            *rest = after;
            if window.len() <= LONGEST_LINE {
                if window.len() > WINDOW {
                    (self.find)(&mut self.separators, window);
                }
                return Some(Window::Lines(window, &self.separators));
            }
            let endless = Endless::default().and(window);
            if endless.has_end || is_last {
                return Some(Window::Endless(endless));
            }
            self.endless = Some(endless);
        }
        None
    }

    /// Takes the rest of an endless line off the beginning of a block; the line, if it ends there.
    fn go_on(&mut self, rest: &mut &[u8], is_last: bool) -> Option<Endless> {
        let endless = self.endless.take()?;
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        *rest = after;
        let endless = endless.and(line);
        if endless.has_end || is_last {
            return Some(endless);
        }
        self.endless = Some(endless);
        None
    }
}

/// What is known of a line that no log writes.
#[derive(Default)]
pub(crate) struct Endless {
    pub(crate) bytes: usize,
    /// Its line end came.
    pub(crate) has_end: bool,
    /// It holds something other than blanks and NUL.
    pub(crate) has_text: bool,
}

impl Endless {
    fn and(self, bytes: &[u8]) -> Self {
        let is_blank = |&byte: &u8| byte == 0 || byte.is_ascii_whitespace();
        Endless {
            bytes: self.bytes + bytes.len(),
            has_end: bytes.ends_with(b"\n"),
            has_text: self.has_text || !bytes.iter().all(is_blank),
        }
    }
}
