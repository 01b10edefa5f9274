//! A file to memory that is safe to read while others change the file: the map, and the handler of the signal that
//! the system sends when a mapped page has no bytes any more. All `unsafe` of the program is here.
//!
//! A mapped file that somebody truncates leaves pages without a file behind them, and so does a disk or a network
//! that fails; on Unix whoever touches one gets SIGBUS, which ends the process. A run over thousands of logs must not
//! end because one of them was rotated, so the handler puts pages of zeros there, notes where, and reading goes on:
//! the parsers take any bytes, and [`Map::check`] tells afterwards that these were not the file's.
//!
//! Windows refuses to truncate a mapped file, so no handler is needed for that there. A page that cannot be fetched
//! ends the process on Windows too, which is why files on a network share are read, not mapped.

use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use memmap2::{Mmap, MmapOptions};

/// The bytes of a file, mapped. Derefs to its text: what follows the byte-order mark, if there was one.
#[derive(Debug)]
pub struct Map {
    // Fields are dropped in this order: the guard must let go of the addresses before they are unmapped, or it would
    // write zeros over whatever is mapped there next.
    #[cfg(unix)]
    watch: sigbus::Watch,
    mmap: Mmap,
    file: File,
    text_at: usize,
    /// The lowest offset that could not be read.
    unread: AtomicUsize,
}

/// No such offset.
const ALL_READ: usize = usize::MAX;

/// How much of a map is hashed at a time, and so how much of it the hashing holds in memory.
const HASH_WINDOW: usize = 4 << 20;

/// So many bytes around one that is touched Linux maps at once where they are in memory (`fault_around_bytes`).
const MAPPED_AROUND: usize = 64 << 10;

impl Map {
    /// Maps a file whose text begins at byte `text_at`.
    ///
    /// An error is no verdict on the file: it may be empty, of a kind that cannot be mapped, or one too many.
    /// Then it can still be read.
    pub fn new(file: File, text_at: usize) -> io::Result<Map> {
        let len = usize::try_from(file.metadata()?.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        if len == 0 || text_at > len {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        }
        // SAFETY: the map is read-only, and unmapped only when no borrow of it is left. What cannot be promised is that
        // its bytes stay as they are while they are borrowed: another process may write to the file, and Unix has no
        // lock against that. Whoever maps a file accepts this; it is bearable because nothing is ever written through
        // the map, because its length is fixed, so every slice keeps its bounds, and because the parsers take any
        // bytes: one that changes costs a reject or a wrong value. Text that was found to be UTF-8 in place is the one
        // check that could be undone; a log is therefore read as bytes, and what becomes text is copied first, but for SIDs and
        // numbers, which are only compared and read digit by digit. A page that is lost is the handler's business,
        // which is installed and told of the addresses before anything is read.
        let mmap = unsafe { MmapOptions::new().len(len).map(&file)? };
        #[cfg(unix)]
        let watch = sigbus::watch(mmap.as_ptr() as usize, mmap.len())
            .ok_or_else(|| io::Error::other("too many files are mapped already"))?;
        Ok(Map {
            #[cfg(unix)]
            watch,
            mmap,
            file,
            text_at,
            unread: AtomicUsize::new(ALL_READ),
        })
    }

    /// All bytes as they are stored, with the byte-order mark.
    pub fn stored(&self) -> &[u8] {
        &self.mmap
    }

    /// Whether all bytes seen so far were the file's. To be asked after reading, and in between if that takes long.
    ///
    /// A file that grew is sound as far as it was mapped (see [`Map::damage`]). So is one that was deleted.
    /// One that was cut and has grown beyond its old size again is noticed only if a page was missed meanwhile.
    pub fn check(&self) -> io::Result<()> {
        let was = self.mmap.len() as u64;
        let is = self.file.metadata()?.len();
        if is < was {
            return Err(shrank(was, is));
        }
        let unread = Some(self.unread.load(Relaxed)).filter(|at| *at != ALL_READ);
        #[cfg(unix)]
        let unread = unread.into_iter().chain(self.watch.fault()).min();
        if let Some(at) = unread {
            return Err(io::Error::other(format!(
                "its bytes from {at} on could not be read; check its disk, and give a copy"
            )));
        }
        Ok(())
    }

    /// What the reader has to be told of the file: that it was cut, could not be read, or has grown since.
    /// To be asked after reading.
    pub fn damage(&self) -> Option<String> {
        if let Err(error) = self.check() {
            return Some(error.to_string());
        }
        let (was, is) = (self.mmap.len() as u64, self.file.metadata().ok()?.len());
        let text = format!(
            "grew from {was} to {is} bytes while it was read; what was appended is not judged: run again for it"
        );
        (is > was).then_some(text)
    }

    /// Reads the text from byte `at` on into `buffer`, and returns how much: less than asked for where it ends, or where
    /// it cannot be read, which [`Map::check`] tells.
    pub fn read_at(&self, buffer: &mut [u8], at: usize) -> usize {
        let mut got = 0;
        while let Some(room @ [_, ..]) = buffer.get_mut(got..) {
            let offset = self.text_at + at + got;
            #[cfg(unix)]
            let read = std::os::unix::fs::FileExt::read_at(&self.file, room, offset as u64);
            #[cfg(windows)]
            let read = std::os::windows::fs::FileExt::seek_read(&self.file, room, offset as u64);
            match read {
                Ok(n @ 1..) => got += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => {
                    if offset < self.mmap.len() {
                        self.unread.fetch_min(offset, Relaxed);
                    }
                    break;
                }
            }
        }
        got
    }

    /// Maps the pages of a range of the text before it is looked at: what is not mapped cannot be fetched ahead. The kernel
    /// maps the pages around one that is touched as well; to ask it for all of them (`MADV_POPULATE_READ`) takes longer, for
    /// it then looks at each.
    pub fn expect(&self, range: Range<usize>) {
        // The first byte of a page: from there on it cannot be read, if it cannot.
        let aligned = (range.start + self.text_at).next_multiple_of(MAPPED_AROUND) - self.text_at;
        let touched =
            std::iter::once(range.start).chain((aligned..range.end).step_by(MAPPED_AROUND));
        touched.for_each(|at| _ = std::hint::black_box(self.get(at).copied()));
    }

    /// Gives the memory of a range of the text back, so that it does not grow with the file.
    /// Advice only; who reads the range again gets the same bytes again.
    pub fn release(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Some((offset, len)) = self.within(range) {
            // SAFETY: MADV_DONTNEED loses what was written to private pages. Nobody writes to these: file pages are
            // fetched from the file again, and pages that the handler put here are zeros again.
            let _ = unsafe {
                self.mmap.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, offset, len)
            };
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// The SHA-256 of all bytes as they are stored. Meant for another thread than the one that parses.
    pub fn sha256(&self) -> io::Result<String> {
        let mut hasher = super::Hasher::new();
        for (n, window) in self.stored().chunks(HASH_WINDOW).enumerate() {
            let start = (n * HASH_WINDOW).saturating_sub(self.text_at);
            hasher.update(window);
            self.release(start..start + window.len());
        }
        self.check()?;
        Ok(hasher.hex())
    }

    /// A range of the text as offset and length in the map, cut to what there is.
    #[cfg(unix)]
    fn within(&self, range: Range<usize>) -> Option<(usize, usize)> {
        let start = range.start.checked_add(self.text_at)?;
        let end = range.end.checked_add(self.text_at)?.min(self.mmap.len());
        (start < end).then(|| (start, end - start))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.mmap.get(self.text_at..).unwrap_or_default()
    }
}

/// The error for a file that has fewer bytes than it had.
pub(super) fn shrank(was: u64, is: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!(
            "shrank from {was} to {is} bytes while it was read; give a copy that nobody writes to"
        ),
    )
}

#[cfg(unix)]
pub(super) mod sigbus {
    //! The handler, and the table of the addresses it answers for. A signal handler may not lock or allocate,
    //! so the table has a fixed size and consists of atomics.

    use std::ptr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    use libc::{c_int, c_void, sigaction, siginfo_t};

    /// As many as a process may usually have open at once; who comes later is told so, and reads the file.
    const N_SLOTS: usize = 1024;

    struct Slot {
        taken: AtomicBool,
        /// Odd while `start` and `end` are being set, and another number for each use of the slot:
        /// the handler must not take the start of one map and the end of the next for a range.
        version: AtomicUsize,
        start: AtomicUsize,
        end: AtomicUsize,
        /// The lowest offset that had no page.
        fault: AtomicUsize,
    }

    const NO_FAULT: usize = usize::MAX;
    static SLOTS: [Slot; N_SLOTS] = [const {
        Slot {
            taken: AtomicBool::new(false),
            version: AtomicUsize::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            fault: AtomicUsize::new(NO_FAULT),
        }
    }; N_SLOTS];
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    static PREVIOUS: OnceLock<sigaction> = OnceLock::new();
    static INSTALLED: OnceLock<bool> = OnceLock::new();

    /// The addresses of one map under guard, until it is dropped.
    #[derive(Debug)]
    pub struct Watch(&'static Slot);

    impl std::fmt::Debug for Slot {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:#x}..{:#x}", self.start.load(SeqCst), self.end.load(SeqCst))
        }
    }

    /// Guards a map of `len` bytes at the address `start`, which begins on a page.
    /// None: there is no room, or no handler, and the map must not be read.
    pub fn watch(start: usize, len: usize) -> Option<Watch> {
        if !*INSTALLED.get_or_init(install) {
            return None;
        }
        let page = PAGE.load(SeqCst);
        let end = start.checked_add(len)?.checked_next_multiple_of(page)?;
        let slot = SLOTS
            .iter()
            .find(|slot| slot.taken.compare_exchange(false, true, SeqCst, SeqCst).is_ok())?;
        slot.set(start, end);
        Some(Watch(slot))
    }

    impl Watch {
        /// The lowest offset that was touched without there being a byte of the file.
        pub fn fault(&self) -> Option<usize> {
            Some(self.0.fault.load(SeqCst)).filter(|at| *at != NO_FAULT)
        }
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            self.0.set(0, 0);
            self.0.taken.store(false, SeqCst);
        }
    }

    impl Slot {
        fn set(&self, start: usize, end: usize) {
            self.version.fetch_add(1, SeqCst);
            self.start.store(start, SeqCst);
            self.end.store(end, SeqCst);
            self.fault.store(NO_FAULT, SeqCst);
            self.version.fetch_add(1, SeqCst);
        }
    }

    fn install() -> bool {
        // SAFETY: sysconf has no preconditions. sigaction is called with valid pointers; an all-zero sigaction is a
        // valid value of that C struct. on_sigbus has the signature that SA_SIGINFO asks for and calls only what a
        // handler may (see there). The old action is stored before the new one is set, so the handler always finds it.
        unsafe {
            let Ok(page) = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)) else { return false };
            if !page.is_power_of_two() {
                return false;
            }
            PAGE.store(page, SeqCst);
            let mut previous: sigaction = std::mem::zeroed();
            if sigaction(libc::SIGBUS, ptr::null(), &mut previous) != 0 {
                return false;
            }
            let _ = PREVIOUS.set(previous);
            let mut action: sigaction = std::mem::zeroed();
            action.sa_sigaction =
                on_sigbus as extern "C" fn(c_int, *mut siginfo_t, *mut c_void) as usize;
            // On the alternate stack, as Rust's own handler, which looks for stack overflows.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            sigaction(libc::SIGBUS, &action, ptr::null_mut()) == 0
        }
    }

    /// Runs in the thread that touched a page without bytes, in the middle of that instruction; when it returns, the
    /// instruction is tried again. Touches atomics only and calls mmap, a plain system call on Linux, the BSDs and macOS.
    extern "C" fn on_sigbus(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        // SAFETY: with SA_SIGINFO the system passes a valid siginfo. Its address is only set when the system itself
        // raised the signal for a bad access (si_code > 0), not when a process sent it.
        let fault = unsafe { ((*info).si_code > 0).then(|| (*info).si_addr() as usize) };
        if !fault.is_some_and(put_zeros_at) {
            pass_on(signal, fault.is_some(), info, context);
        }
    }

    /// Replaces the rest of the guarded map that the address is in by zeros. False: it is in none.
    fn put_zeros_at(address: usize) -> bool {
        for slot in &SLOTS {
            let version = slot.version.load(SeqCst);
            let (start, end) = (slot.start.load(SeqCst), slot.end.load(SeqCst));
            // A slot that changes under our eyes is not the one: the map that this thread reads is borrowed by it.
            let is_settled = version % 2 == 0 && slot.version.load(SeqCst) == version;
            if !is_settled || !(start..end).contains(&address) {
                continue;
            }
            let from = address & !(PAGE.load(SeqCst) - 1);
            // SAFETY: from..end are whole pages of a map that is alive, because the thread that this handler
            // interrupts is reading it through a borrow. They stay mapped and readable, so every slice over them
            // stays valid, and unmapping the whole later is unmapping as before. If several threads are here at
            // once, zeros replace zeros.
            let zeros = unsafe {
                libc::mmap(
                    from as *mut c_void,
                    end - from,
                    libc::PROT_READ,
                    libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED,
                    -1,
                    0,
                )
            };
            if zeros == libc::MAP_FAILED {
                return false;
            }
            slot.fault.fetch_min(address - start, SeqCst);
            return true;
        }
        false
    }

    /// Does what would have been done without us.
    fn pass_on(signal: c_int, is_fault: bool, info: *mut siginfo_t, context: *mut c_void) {
        let previous = PREVIOUS.get();
        let handler = previous.map_or(libc::SIG_DFL, |action| action.sa_sigaction);
        if handler == libc::SIG_IGN && !is_fault {
            return;
        }
        // SAFETY: a handler that is neither SIG_DFL nor SIG_IGN was installed by somebody as a function of the
        // signature that its flags tell, and is called as the system would have called it. signal, sigaction and
        // raise are allowed in a handler.
        unsafe {
            if handler == libc::SIG_DFL || handler == libc::SIG_IGN {
                // Ends the process as soon as this handler returns.
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            } else if previous.is_some_and(|action| action.sa_flags & libc::SA_SIGINFO != 0) {
                let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                    std::mem::transmute(handler);
                handler(signal, info, context);
            } else {
                let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
                handler(signal);
            }
        }
    }
}
