//! A seed to numbers: the same seed gives the same log on every machine.

/// SplitMix64: 64 bits of state, a few instructions a number, good enough for traffic.
pub struct Rng(u64);

impl Rng {
    /// A stream of its own for each seed.
    pub fn new(seed: u64) -> Self {
        Rng(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`, 0 for 0; the bias of multiply-and-shift does not matter here.
    pub fn below(&mut self, n: u32) -> u32 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u32
    }

    /// A number from `low` to `high - 1`; `low` if that range is empty.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low))
    }

    /// True in `per_mille` of 1000 cases.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of the entries, each as often as its weight says.
    pub fn weighted<'a, T>(&mut self, table: &'a [(u32, T)]) -> &'a T {
        let mut left = self.below(table.iter().map(|(weight, _)| weight).sum());
        for (weight, value) in table {
            if left < *weight {
                return value;
            }
            left -= weight;
        }
        &table[0].1
    }
}

const HEX: [[u8; 2]; 256] = {
    let digits = *b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = [digits[i >> 4], digits[i & 15]];
        i += 1;
    }
    table
};

/// 32 hexadecimal digits of two random numbers.
pub fn hex32(rng: &mut Rng) -> [u8; 32] {
    let mut out = [0; 32];
    let bytes = (u128::from(rng.bits()) << 64 | u128::from(rng.bits())).to_le_bytes();
    for (pair, byte) in out.chunks_exact_mut(2).zip(bytes) {
        pair.copy_from_slice(&HEX[byte as usize]);
    }
    out
}

/// A GUID in its usual spelling.
pub fn guid(rng: &mut Rng) -> [u8; 36] {
    let hex = hex32(rng);
    let mut out = [b'-'; 36];
    out[..8].copy_from_slice(&hex[..8]);
    out[9..13].copy_from_slice(&hex[8..12]);
    out[14..18].copy_from_slice(&hex[12..16]);
    out[19..23].copy_from_slice(&hex[16..20]);
    out[24..].copy_from_slice(&hex[20..]);
    out
}
