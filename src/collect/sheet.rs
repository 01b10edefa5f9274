//! What a thread wrote of one chunk into the book of the log.
//!
//! A thread writes chunk after chunk of a mapped W3C log at one desk, so that a client which stands in every chunk is decoded
//! once, and not once a chunk. What comes behind another one in the book must not depend on which thread read which chunk:
//! sheets are copied in the order of the file, and whatever is not new on a sheet stood on an earlier one of its desk, so
//! that the book has it.

use super::book::{Access, Book, Client, Key, Other};

/// Rows of one chunk by the numbers of the desk they were written at, and what is behind those that are new.
#[derive(Debug, Default)]
pub struct Sheet {
    /// Texts behind those of the sheets before.
    pub texts: Vec<String>,
    /// The same for keys.
    pub keys: Vec<Key>,
    /// The same for clients.
    pub clients: Vec<Client>,
    /// As in the book.
    pub accesses: Vec<Access>,
    /// As in the book.
    pub nameless: Vec<Access>,
    /// As in the book.
    pub others: Vec<Other>,
}

/// What the numbers of one desk are in the book.
#[derive(Debug, Default)]
pub struct Numbers {
    keys: Vec<u32>,
    clients: Vec<u32>,
    texts: Vec<Text>,
    /// A sheet of the desk was thrown away: its next ones have numbers that nobody explains.
    pub is_spoilt: bool,
}

#[derive(Debug)]
enum Text {
    /// Not yet in the book: only names and commands are asked for by number, the other texts stand in keys and clients.
    Own(String),
    InBook(u32),
}

impl Book {
    /// Takes over the rows of a sheet, `lines` further down in their source. The sheets of a desk have to come in its own
    /// order, each with the same `numbers`.
    pub fn copy_in(&mut self, sheet: Sheet, numbers: &mut Numbers, lines: u64) {
        let Numbers { keys, clients, texts, .. } = numbers;
        keys.extend(sheet.keys.into_iter().map(|key| self.keys.number(key)));
        clients.extend(sheet.clients.into_iter().map(|client| self.clients.number(client)));
        texts.extend(sheet.texts.into_iter().map(Text::Own));
        let mut text = |number: u32| {
            let text = &mut texts[number as usize];
            match text {
                Text::InBook(number) => *number,
                Text::Own(own) => {
                    let number = self.texts.number(std::mem::take(own));
                    *text = Text::InBook(number);
                    number
                }
            }
        };
        let renumber = |access: Access, text: &mut dyn FnMut(u32) -> u32| Access {
            line: access.line + lines,
            key: keys[access.key as usize],
            client: clients[access.client as usize],
            name: access.name.map(&mut *text),
            command: text(access.command),
            ..access
        };
        self.accesses.extend(sheet.accesses.into_iter().map(|row| renumber(row, &mut text)));
        self.nameless.extend(sheet.nameless.into_iter().map(|row| renumber(row, &mut text)));
        self.others.extend(sheet.others.into_iter().map(|other| Other {
            row: renumber(other.row, &mut text),
            strange_sid: other.strange_sid.map(&mut text),
            ..other
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::{ClientTexts, Desk};
    use super::*;
    use chrono::DateTime;
    use proptest::prelude::*;
    use stillin_parsers::exchange;

    /// What is told of a row, each a number of a text; and whether it is a refusal without a name.
    type Told = ([u8; 4], bool);

    fn write(told: &[Told], desk: &mut Desk) {
        let route = exchange::route(b"/ews/exchange.asmx");
        for &([server, name, agent, command], is_nameless) in told {
            let text = |kind: &str, number: u8| format!("{kind}{number}").into_bytes();
            let name = (!is_nameless).then(|| desk.text(&text("name", name)));
            let user_agent = text("agent", agent);
            let (device, c_ip, forwarded) = (&b""[..], &b"203.0.113.7"[..], &b""[..]);
            let client = ClientTexts { device, user_agent: &user_agent, c_ip, forwarded };
            let access = Access {
                key: desk.key(&text("server", server), &route, name),
                client: desk.client(client, |_| agent.into()),
                name,
                command: desk.text(&text("command", command)),
                ..Access::served(DateTime::UNIX_EPOCH)
            };
            if is_nameless { &mut desk.nameless } else { &mut desk.accesses }.push(access);
        }
    }

    proptest! {
        /// Which chunks a thread gets is chance.
        #[test]
        fn the_book_is_the_same_whoever_read_which_chunk(
            chunks in prop::collection::vec(
                (0..3usize, prop::collection::vec((prop::array::uniform4(0..4u8), any::<bool>()), 0..9)), 1..9),
        ) {
            let mut desks = [(); 3].map(|()| (Desk::default(), Numbers::default()));
            let (mut shared, mut alone) = (Book::default(), Book::default());
            for ((thread, told), lines) in chunks.iter().zip(0..) {
                let (desk, numbers) = &mut desks[*thread];
                write(told, desk);
                shared.copy_in(desk.take_sheet(), numbers, lines);
                let mut desk = Desk::default();
                write(told, &mut desk);
                alone.copy_in(desk.take_sheet(), &mut Numbers::default(), lines);
            }
            prop_assert_eq!(format!("{:?}", shared.accesses), format!("{:?}", alone.accesses));
            prop_assert_eq!(format!("{:?}", shared.nameless), format!("{:?}", alone.nameless));
            prop_assert!(shared.texts.iter().eq(alone.texts.iter()));
            prop_assert!(shared.keys.iter().eq(alone.keys.iter()));
            prop_assert!(shared.clients.iter().eq(alone.clients.iter()));
        }
    }
}
