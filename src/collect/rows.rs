//! One log of Exchange itself, read side by side, to what its rows gave, in the order of the file.

use super::blocks::{self, Chunk, Room};
use super::copies::FirstRequest;
use super::gather::{self, Gather, in_order};
use super::tally::Sum;
use crate::input::{Hash, Opened, Stored};
use stillin_parsers::exchange_log::{self, Row, Scanner, State, Tally};

/// What is known of a log besides its rows.
pub struct Read {
    /// What became of its lines.
    pub sum: Sum,
    /// Column names of the last header.
    pub columns: Vec<String>,
    /// No header says something else than the first lines do.
    pub is_uniform: bool,
    /// What tells copies of one log.
    pub first_request: Option<FirstRequest>,
    /// Size, hash and damage of the source.
    pub stored: Stored,
}

/// What a chunk came to: what became of its lines, the columns that it leaves to the next one, and what it gave.
pub type Chunked<P> = (Tally, State, P);

/// How a log is read: `bench` makes what a thread keeps from chunk to chunk, `chunk` reads one.
pub struct Reader<'a, B, P> {
    /// Before a thread's first chunk.
    pub bench: &'a (dyn Fn() -> B + Sync),
    /// A chunk under the columns that it begins with; see [`scan`].
    pub chunk: &'a (dyn Fn(&Chunk<'_>, &State, &mut B) -> Chunked<P> + Sync),
    /// Called with the number of bytes read.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Reads an opened log to its end; `take` gets what each chunk gave, with the line ends before it.
pub fn read<B: Send, P: Send>(
    opened: Opened,
    hash: Hash,
    reader: &Reader<'_, B, P>,
    take: &mut (dyn FnMut(P, u64) + Send),
) -> Read {
    let (guess, first_request) = first_look(&opened.head);
    let (sum, columns, state) = (Sum::default(), Vec::new(), State::default());
    let mut gatherer =
        Gatherer { reader, guess: &guess, take, sum, columns, is_uniform: true, state };
    let stored = gather::read(opened.body, hash, &mut gatherer, &guess);
    let Gatherer { sum, columns, is_uniform, .. } = gatherer;
    Read { sum, columns, is_uniform, first_request, stored }
}

/// Reads a chunk row by row.
pub fn scan(
    chunk: &Chunk<'_>,
    state: &State,
    room: &mut Room,
    mut each: impl FnMut(&Row<'_>),
) -> (Tally, State) {
    let mut scanner = Scanner::new(state);
    chunk.each_block(room, |block, is_last| scanner.read(block, is_last, &mut each));
    scanner.finish()
}

fn first_look(head: &[u8]) -> (State, Option<FirstRequest>) {
    let lines = blocks::whole_lines(head);
    let mut first = None;
    let (_, state) = exchange_log::scan(lines, &State::default(), |row| {
        first.get_or_insert((row.number, row.seconds));
    });
    (state, first.and_then(|(line, seconds)| FirstRequest::of(lines, line, seconds)))
}

struct Gatherer<'a, 'b, B, P> {
    reader: &'a Reader<'b, B, P>,
    /// What holds after the first lines.
    guess: &'a State,
    take: &'a mut (dyn FnMut(P, u64) + Send),
    sum: Sum,
    columns: Vec<String>,
    is_uniform: bool,
    /// The columns that the next piece begins with.
    state: State,
}

impl<B: Send, P: Send> Gather for Gatherer<'_, '_, B, P> {
    type State = State;

    fn state(&self) -> State {
        self.state.clone()
    }

    fn take_all(&mut self, chunks: &[Chunk<'_>], guesses: Vec<State>) {
        let reader = self.reader;
        in_order(
            chunks.len(),
            reader.bench,
            |n, bench| {
                let piece = (reader.chunk)(&chunks[n], &guesses[n], bench);
                (reader.progress)(chunks[n].len() as u64);
                piece
            },
            |n, piece| {
                let piece = match guesses[n].reads_like(&self.state) {
                    true => piece,
                    // Rare: the columns changed in an earlier chunk.
                    false => (reader.chunk)(&chunks[n], &self.state, &mut (reader.bench)()),
                };
                self.take(piece);
            },
        );
    }
}

impl<B, P> Gatherer<'_, '_, B, P> {
    fn take(&mut self, (tally, next, piece): Chunked<P>) {
        let lines_before = self.sum.line_ends();
        for header in self.sum.take(tally, self.state.fields_line) {
            self.columns.clone_from(&header.layout.names);
            self.is_uniform &= self.guess.layout.as_ref() == Some(&header.layout);
        }
        (self.take)(piece, lines_before);
        let fields_line = match next.fields_line {
            0 => self.state.fields_line,
            own => own + lines_before,
        };
        self.state = State { fields_line, ..next };
    }
}
