//! Events to the bytes of an EVTX file of one chunk: just enough BinXML for samples of our own, with
//! the checksums and the tables of names and templates that Windows writes (MS-EVEN6 2.2.12).

/// One event to write.
pub struct Record<'a> {
    pub record_id: u64,
    pub event_id: u16,
    pub provider: &'a str,
    pub channel: &'a str,
    pub keywords: u64,
    /// 100 ns since 1601.
    pub time: u64,
    pub computer: &'a str,
    pub data: &'a [(&'a str, &'a str)],
}

const CHUNK: usize = 65_536;

/// A chunk under construction; offsets in BinXML count from its start.
struct Chunk {
    bytes: Vec<u8>,
    strings: [u32; 64],
    names: Vec<(String, u32)>,
    /// Shape of a record and where its template is.
    templates: Vec<(String, u32)>,
    template_table: [u32; 32],
}

/// The whole file.
pub fn file(records: &[Record<'_>]) -> Vec<u8> {
    let mut chunk = Chunk {
        bytes: vec![0; 512],
        strings: [0; 64],
        names: Vec::new(),
        templates: Vec::new(),
        template_table: [0; 32],
    };
    let mut last = 512;
    for record in records {
        last = chunk.bytes.len();
        chunk.record(record);
    }
    let first_id = records.first().map_or(1, |r| r.record_id);
    let last_id = records.last().map_or(1, |r| r.record_id);
    let mut file = file_header(last_id + 1);
    file.extend(chunk.finish(records.len() as u64, first_id, last_id, last as u32));
    file
}

fn file_header(next_id: u64) -> Vec<u8> {
    let mut header = b"ElfFile\0".to_vec();
    for number in [0, 0, next_id] {
        header.extend(number.to_le_bytes());
    }
    header.extend(128_u32.to_le_bytes());
    for number in [1_u16, 3, 4096, 1] {
        header.extend(number.to_le_bytes());
    }
    header.resize(124, 0);
    header.extend(crc(&[&header[..120]]).to_le_bytes());
    header.resize(4096, 0);
    header
}

impl Chunk {
    fn finish(mut self, count: u64, first_id: u64, last_id: u64, last: u32) -> Vec<u8> {
        let free = self.bytes.len();
        assert!(free <= CHUNK, "one chunk only");
        let events = crc(&[&self.bytes[512..]]);
        self.bytes.resize(CHUNK, 0);
        let mut header = b"ElfChnk\0".to_vec();
        for number in [1, count, first_id, last_id] {
            header.extend(number.to_le_bytes());
        }
        for number in [128, last, free as u32, events] {
            header.extend(number.to_le_bytes());
        }
        header.resize(128, 0);
        self.strings
            .iter()
            .chain(&self.template_table)
            .for_each(|n| header.extend(n.to_le_bytes()));
        let sum = crc(&[&header[..120], &header[128..]]);
        header[124..128].copy_from_slice(&sum.to_le_bytes());
        self.bytes[..512].copy_from_slice(&header);
        self.bytes
    }

    fn u16(&mut self, number: u16) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend(number.to_le_bytes());
    }

    fn here(&self) -> u32 {
        self.bytes.len() as u32
    }

    /// Puts the number of bytes since `at + 4` into `at`.
    fn close(&mut self, at: u32) {
        let size = self.here() - at - 4;
        self.bytes[at as usize..][..4].copy_from_slice(&size.to_le_bytes());
    }

    fn hole(&mut self) -> u32 {
        let at = self.here();
        self.u32(0);
        at
    }

    fn record(&mut self, record: &Record<'_>) {
        let start = self.here();
        self.bytes.extend(b"\x2a\x2a\0\0");
        let size_at = self.hole();
        self.bytes.extend(record.record_id.to_le_bytes());
        self.bytes.extend(record.time.to_le_bytes());
        self.bytes.extend(b"\x0f\x01\x01\0\x0c\x01");
        let values = values(record);
        let names: Vec<&str> = record.data.iter().map(|(name, _)| *name).collect();
        let shape = format!("{}{}{}", record.provider, record.channel, names.join(","));
        match self.templates.iter().find(|(known, _)| *known == shape).map(|(_, at)| *at) {
            Some(at) => {
                self.u32(at);
                self.u32(at);
            }
            None => {
                let at = self.here() + 8;
                self.u32(at);
                self.u32(at);
                self.template(record, &names);
                self.templates.push((shape, at));
            }
        }
        self.u32(values.len() as u32);
        for (kind, value) in &values {
            self.u16(value.len() as u16);
            self.bytes.extend([*kind, 0]);
        }
        values.iter().for_each(|(_, value)| self.bytes.extend(value));
        self.bytes.push(0);
        while !self.bytes.len().is_multiple_of(8) {
            self.bytes.push(0);
        }
        // With the copy of the size at the end.
        let size = self.here() + 4 - start;
        self.bytes[size_at as usize..][..4].copy_from_slice(&size.to_le_bytes());
        self.u32(size);
    }

    /// A definition: link to the next of its bucket, GUID, size, BinXML.
    fn template(&mut self, record: &Record<'_>, names: &[&str]) {
        let bucket = self.templates.len() % 32;
        let at = self.here();
        self.u32(self.template_table[bucket]);
        self.template_table[bucket] = at;
        self.u32(bucket as u32);
        self.bytes.extend([0x5a; 12]);
        let size_at = self.hole();
        self.bytes.extend(b"\x0f\x01\x01\0");
        let xmlns = Value::Text("http://schemas.microsoft.com/win/2004/08/events/event");
        let event = self.open("Event", &[("xmlns", xmlns)]);
        let system = self.open("System", &[]);
        self.leaf("Provider", &[("Name", Value::Text(record.provider))], None);
        self.leaf("EventID", &[], Some(Value::Slot(0, 0x06)));
        self.leaf("Keywords", &[], Some(Value::Slot(1, 0x15)));
        self.leaf("TimeCreated", &[("SystemTime", Value::Slot(2, 0x11))], None);
        self.leaf("EventRecordID", &[], Some(Value::Slot(3, 0x0a)));
        self.leaf("Channel", &[], Some(Value::Text(record.channel)));
        self.leaf("Computer", &[], Some(Value::Slot(4, 0x01)));
        self.end(system);
        let data = self.open("EventData", &[]);
        for (index, name) in names.iter().enumerate() {
            let slot = Value::Slot(index as u16 + 5, 0x01);
            self.leaf("Data", &[("Name", Value::Text(name))], Some(slot));
        }
        self.end(data);
        self.end(event);
        self.bytes.push(0);
        self.close(size_at);
    }

    /// `<name a="…">`; gives where the size of the element stands.
    fn open(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) -> u32 {
        let at = self.start(name, attributes);
        self.bytes.push(0x02);
        at
    }

    fn start(&mut self, name: &str, attributes: &[(&str, Value<'_>)]) -> u32 {
        self.bytes.push(if attributes.is_empty() { 0x01 } else { 0x41 });
        self.u16(0xffff);
        let size_at = self.hole();
        self.name(name);
        if !attributes.is_empty() {
            let list = self.hole();
            for (index, (name, value)) in attributes.iter().enumerate() {
                self.bytes.push(if index + 1 == attributes.len() { 0x06 } else { 0x46 });
                self.name(name);
                self.value(*value);
            }
            self.close(list);
        }
        size_at
    }

    fn end(&mut self, size_at: u32) {
        self.bytes.push(0x04);
        self.close(size_at);
    }

    fn leaf(&mut self, name: &str, attributes: &[(&str, Value<'_>)], value: Option<Value<'_>>) {
        let size_at = self.start(name, attributes);
        match value {
            None => {
                self.bytes.push(0x03);
                self.close(size_at);
            }
            Some(value) => {
                self.bytes.push(0x02);
                self.value(value);
                self.end(size_at);
            }
        }
    }

    fn value(&mut self, value: Value<'_>) {
        match value {
            Value::Text(text) => {
                self.bytes.extend([0x05, 0x01]);
                self.u16(text.encode_utf16().count() as u16);
                self.bytes.extend(utf16(text));
            }
            Value::Slot(index, kind) => {
                self.bytes.push(0x0d);
                self.u16(index);
                self.bytes.push(kind);
            }
        }
    }

    /// The offset of a name; the name itself follows where it is used first.
    fn name(&mut self, name: &str) {
        if let Some((_, at)) = self.names.iter().find(|(known, _)| known == name) {
            let at = *at;
            return self.u32(at);
        }
        let at = self.here() + 4;
        self.u32(at);
        let hash = name
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)))
            as u16;
        let bucket = usize::from(hash) % 64;
        self.u32(self.strings[bucket]);
        self.strings[bucket] = at;
        self.u16(hash);
        self.u16(name.encode_utf16().count() as u16);
        self.bytes.extend(utf16(name));
        self.u16(0);
        self.names.push((name.to_owned(), at));
    }
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    /// Index and type of a substituted value.
    Slot(u16, u8),
}

fn values(record: &Record<'_>) -> Vec<(u8, Vec<u8>)> {
    let mut values = vec![
        (0x06, record.event_id.to_le_bytes().to_vec()),
        (0x15, record.keywords.to_le_bytes().to_vec()),
        (0x11, record.time.to_le_bytes().to_vec()),
        (0x0a, record.record_id.to_le_bytes().to_vec()),
        (0x01, utf16(record.computer)),
    ];
    values.extend(record.data.iter().map(|(_, value)| (0x01, utf16(value))));
    values
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// CRC-32 (IEEE), bit by bit.
fn crc(parts: &[&[u8]]) -> u32 {
    let sum = parts.iter().copied().flatten().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
        })
    });
    !sum
}
