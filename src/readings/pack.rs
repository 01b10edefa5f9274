//! Values to bytes and back, for the state of `nightly` alone: short numbers, no names of fields.
//!
//! Which types, `types` says. Bytes are only ever read by the version of the program that wrote them, and a checksum is
//! asked before; so what does not fit is damage, and the file is read again.

use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The form of all of it: another number, and what was written is read again. To be raised with every change to what is
/// packed, or to what a reading is asked.
pub const FORM: u32 = 8;

/// A value that can be written down.
pub trait Pack: Sized {
    /// Writes it.
    fn pack(&self, to: &mut Vec<u8>);
    /// Reads what [`Self::pack`] wrote; `None` if it is something else.
    fn unpack(from: &mut &[u8]) -> Option<Self>;
}

/// A value as bytes.
pub fn packed<T: Pack>(value: &T) -> Vec<u8> {
    let mut bytes = Vec::new();
    value.pack(&mut bytes);
    bytes
}

/// Bytes as a value, if they are that and no more.
pub fn unpacked<T: Pack>(mut bytes: &[u8]) -> Option<T> {
    let value = T::unpack(&mut bytes)?;
    bytes.is_empty().then_some(value)
}

/// Everything in one list of the fields, so that a new field is an error here until it is written down as well.
macro_rules! pack_struct {
    ($($type:ty { $($field:ident),* $(,)? })*) => {$(
        impl $crate::readings::pack::Pack for $type {
            fn pack(&self, to: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($crate::readings::pack::Pack::pack($field, to);)*
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                $(let $field = $crate::readings::pack::Pack::unpack(from)?;)*
                Some(Self { $($field),* })
            }
        }
    )*};
}

/// The same for a list of words; a number stands for each.
macro_rules! pack_words {
    ($($type:ty { $($word:ident = $number:literal),* $(,)? })*) => {$(
        impl $crate::readings::pack::Pack for $type {
            fn pack(&self, to: &mut Vec<u8>) {
                to.push(match self { $(Self::$word => $number),* });
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                match $crate::readings::pack::byte(from)? {
                    $($number => Some(Self::$word),)*
                    _ => None,
                }
            }
        }
    )*};
}

pub(crate) use pack_struct;
pub(crate) use pack_words;

/// The next byte.
pub fn byte(from: &mut &[u8]) -> Option<u8> {
    let (first, rest) = from.split_first()?;
    *from = rest;
    Some(*first)
}

impl Pack for u64 {
    fn pack(&self, to: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            to.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        to.push(rest as u8);
    }

    fn unpack(from: &mut &[u8]) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = byte(from)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

macro_rules! pack_numbers {
    ($($type:ty),*) => {$(
        impl Pack for $type {
            fn pack(&self, to: &mut Vec<u8>) {
                (*self as u64).pack(to);
            }
            fn unpack(from: &mut &[u8]) -> Option<$type> {
                <$type>::try_from(u64::unpack(from)?).ok()
            }
        }
    )*};
}
pack_numbers!(u16, u32, usize);

impl Pack for i64 {
    fn pack(&self, to: &mut Vec<u8>) {
        ((self << 1) as u64 ^ (self >> 63) as u64).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<i64> {
        let bits = u64::unpack(from)?;
        Some((bits >> 1) as i64 ^ -((bits & 1) as i64))
    }
}

impl Pack for u128 {
    fn pack(&self, to: &mut Vec<u8>) {
        ((self >> 64) as u64).pack(to);
        (*self as u64).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<u128> {
        let high = u128::from(u64::unpack(from)?);
        Some(high << 64 | u128::from(u64::unpack(from)?))
    }
}

impl Pack for bool {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(u8::from(*self));
    }

    fn unpack(from: &mut &[u8]) -> Option<bool> {
        match byte(from)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Pack for String {
    fn pack(&self, to: &mut Vec<u8>) {
        self.len().pack(to);
        to.extend_from_slice(self.as_bytes());
    }

    fn unpack(from: &mut &[u8]) -> Option<String> {
        let len = usize::unpack(from)?;
        let (text, rest) = from.split_at_checked(len)?;
        *from = rest;
        String::from_utf8(text.to_vec()).ok()
    }
}

impl Pack for u8 {
    fn pack(&self, to: &mut Vec<u8>) {
        to.push(*self);
    }

    fn unpack(from: &mut &[u8]) -> Option<u8> {
        byte(from)
    }
}

impl Pack for Box<str> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.to_string().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Box<str>> {
        Some(String::unpack(from)?.into_boxed_str())
    }
}

impl<T: Pack> Pack for Box<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        (**self).pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<Box<T>> {
        Some(Box::new(T::unpack(from)?))
    }
}

impl Pack for DateTime<Utc> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.timestamp().pack(to);
        self.timestamp_subsec_nanos().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<DateTime<Utc>> {
        let seconds = i64::unpack(from)?;
        DateTime::from_timestamp(seconds, u32::unpack(from)?)
    }
}

impl Pack for IpAddr {
    fn pack(&self, to: &mut Vec<u8>) {
        self.to_string().pack(to);
    }

    fn unpack(from: &mut &[u8]) -> Option<IpAddr> {
        String::unpack(from)?.parse().ok()
    }
}

impl<T: Pack> Pack for Option<T> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.is_some().pack(to);
        if let Some(value) = self {
            value.pack(to);
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Option<T>> {
        match bool::unpack(from)? {
            true => Some(Some(T::unpack(from)?)),
            false => Some(None),
        }
    }
}

impl<T: Pack, E: Pack> Pack for Result<T, E> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.is_ok().pack(to);
        match self {
            Ok(value) => value.pack(to),
            Err(error) => error.pack(to),
        }
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        Some(match bool::unpack(from)? {
            true => Ok(T::unpack(from)?),
            false => Err(E::unpack(from)?),
        })
    }
}

impl<T: Pack, const N: usize> Pack for [T; N] {
    fn pack(&self, to: &mut Vec<u8>) {
        self.iter().for_each(|value| value.pack(to));
    }

    fn unpack(from: &mut &[u8]) -> Option<[T; N]> {
        let list: Option<Vec<T>> = (0..N).map(|_| T::unpack(from)).collect();
        list?.try_into().ok()
    }
}

macro_rules! pack_lists {
    ($($list:ty where $($bound:ident: $first:ident $(+ $more:ident)*),*;)*) => {$(
        impl<$($bound: Pack + $first $(+ $more)*),*> Pack for $list {
            fn pack(&self, to: &mut Vec<u8>) {
                self.len().pack(to);
                self.iter().for_each(|value| value.pack(to));
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                let len = usize::unpack(from)?;
                (0..len).map(|_| Pack::unpack(from)).collect()
            }
        }
    )*};
}
pack_lists! {
    Vec<T> where T: Sized;
    BTreeSet<T> where T: Ord;
}

impl<K: Pack + Ord, V: Pack> Pack for BTreeMap<K, V> {
    fn pack(&self, to: &mut Vec<u8>) {
        self.len().pack(to);
        self.iter().for_each(|(key, value)| {
            key.pack(to);
            value.pack(to);
        });
    }

    fn unpack(from: &mut &[u8]) -> Option<Self> {
        let len = usize::unpack(from)?;
        (0..len).map(|_| Some((K::unpack(from)?, V::unpack(from)?))).collect()
    }
}

macro_rules! pack_tuples {
    ($(($($name:ident),*))*) => {$(
        #[allow(non_snake_case)]
        impl<$($name: Pack),*> Pack for ($($name,)*) {
            fn pack(&self, to: &mut Vec<u8>) {
                let ($($name,)*) = self;
                $($name.pack(to);)*
            }
            fn unpack(from: &mut &[u8]) -> Option<Self> {
                $(let $name = $name::unpack(from)?;)*
                Some(($($name,)*))
            }
        }
    )*};
}
pack_tuples! { (A, B) (A, B, C) (A, B, C, D) }

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(
            number in any::<u64>(), signed in any::<i64>(), id in any::<u128>(), text in ".{0,20}",
            list in proptest::collection::vec(proptest::option::of(any::<u32>()), 0..9), is in any::<bool>(),
        ) {
            let value = ((number, signed, id), (text, list, is));
            prop_assert_eq!(unpacked(&packed(&value)), Some(value));
        }

        #[test]
        fn any_bytes_are_something_or_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            type Any = (BTreeMap<String, Vec<(i64, bool)>>, Option<DateTime<Utc>>, [u16; 3]);
            let mut rest = bytes.as_slice();
            let value = Any::unpack(&mut rest);
            prop_assert!(value.is_none() || rest.len() < bytes.len());
        }
    }
}
