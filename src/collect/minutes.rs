//! When a log had entries, by the minute: a set that can be brought together in any order.

use crate::readings::pack::pack_struct;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{BTreeMap, BTreeSet};

/// Minutes with an entry, a bit each, by day since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Minutes {
    days: BTreeMap<i64, [u64; 23]>,
}

impl Minutes {
    /// Adds a minute since 1970.
    pub fn insert(&mut self, minute: i64) {
        let (day, minute) = (minute.div_euclid(1440), minute.rem_euclid(1440) as usize);
        self.days.entry(day).or_insert([0; 23])[minute / 64] |= 1 << (minute % 64);
    }

    /// Adds all minutes of `other`.
    pub fn extend(&mut self, other: &Minutes) {
        for (day, bits) in &other.days {
            let mine = self.days.entry(*day).or_insert([0; 23]);
            mine.iter_mut().zip(bits).for_each(|(mine, other)| *mine |= other);
        }
    }

    /// Whether `other` has all of them.
    pub fn are_in(&self, other: &Minutes) -> bool {
        let is_in = |(mine, other): (&u64, &u64)| mine & !other == 0;
        self.days.iter().all(|(day, bits)| {
            other.days.get(day).is_some_and(|others| bits.iter().zip(others).all(is_in))
        })
    }

    /// The minutes in order.
    pub fn iter(&self) -> impl Iterator<Item = i64> {
        self.days.iter().flat_map(|(day, bits)| {
            (0..1440)
                .filter(move |minute| bits[minute / 64] >> (minute % 64) & 1 == 1)
                .map(move |minute| day * 1440 + minute as i64)
        })
    }
}

pack_struct! {
    Minutes { days }
}

/// What was seen of one server in one kind of log.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    /// Earliest and latest entry, seconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Minutes with an entry.
    pub minutes: Minutes,
    /// Minutes with an entry of Managed Availability's probes.
    pub probes: Minutes,
    /// Last entry before and first entry after each NUL run.
    pub holes: BTreeSet<(i64, i64)>,
    /// Last entry before a NUL run that ends a file: the next entry is in another one, if anywhere.
    pub holes_after: BTreeSet<i64>,
    /// First entry after a NUL run that begins a file.
    pub holes_before: BTreeSet<i64>,
}

impl Presence {
    /// An entry.
    pub fn saw(&mut self, seconds: i64) {
        self.saw_again(seconds);
        self.minutes.insert(seconds.div_euclid(60));
    }

    /// Another entry of the minute of the one before.
    pub fn saw_again(&mut self, seconds: i64) {
        let (from, to) = self.span.unwrap_or((seconds, seconds));
        self.span = Some((from.min(seconds), to.max(seconds)));
    }

    /// Takes over what was seen elsewhere.
    pub fn extend(&mut self, other: &Presence) {
        if let Some((from, to)) = other.span {
            let (a, b) = self.span.unwrap_or((from, to));
            self.span = Some((a.min(from), b.max(to)));
        }
        self.minutes.extend(&other.minutes);
        self.probes.extend(&other.probes);
        self.holes.extend(&other.holes);
        self.holes_after.extend(&other.holes_after);
        self.holes_before.extend(&other.holes_before);
    }

    /// Holes, by minute: NUL runs; a whole UTC day without an entry; and where probes were seen, a silence
    /// that their heartbeat does not allow (DOMAIN.md 7.6). A quiet hour without probes is no hole: nobody
    /// knows whether anybody called.
    pub fn gaps(&self) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let most = self.longest_silence();
        let mut gaps: Vec<(i64, i64)> = self.holes.iter().copied().collect();
        let minutes: Vec<i64> = self.minutes.iter().collect();
        for &before in &self.holes_after {
            let next = minutes.partition_point(|&minute| minute <= before.div_euclid(60));
            gaps.extend(minutes.get(next).map(|after| (before, after * 60)));
        }
        for &after in &self.holes_before {
            let next = minutes.partition_point(|&minute| minute < after.div_euclid(60));
            gaps.extend(next.checked_sub(1).map(|last| ((minutes[last] + 1) * 60, after)));
        }
        let mut last: Option<i64> = None;
        for minute in minutes {
            if let Some(last) = last {
                let whole_day = (minute.div_euclid(1440) - last.div_euclid(1440)) >= 2;
                if whole_day || most.is_some_and(|most| minute - last > most) {
                    gaps.push(((last + 1) * 60, minute * 60));
                }
            }
            last = Some(minute);
        }
        let gaps = without_overlaps(gaps);
        let time = |seconds| DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        gaps.into_iter().map(|(from, to)| (time(from), time(to))).collect()
    }

    /// Minutes of silence that the heartbeat allows: five beats, ten minutes at least. None without a heartbeat.
    fn longest_silence(&self) -> Option<i64> {
        let probes: Vec<i64> = self.probes.iter().collect();
        let mut beats: Vec<i64> = probes.windows(2).map(|pair| pair[1] - pair[0]).collect();
        beats.sort_unstable();
        let beat = beats.get(beats.len() / 2).filter(|_| beats.len() >= 5)?;
        Some((beat * 5).max(TimeDelta::minutes(10).num_minutes()))
    }
}

/// Spans in order, those that touch each other as one, and none that is empty.
fn without_overlaps(mut spans: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut apart: Vec<(i64, i64)> = Vec::new();
    for (from, to) in spans {
        match apart.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => apart.push((from, to)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(minutes: &[i64], probes: &[i64], expect: &[(i64, i64)]) {
        let mut presence = Presence::default();
        for minute in minutes.iter().chain(probes) {
            presence.saw(minute * 60 + 30);
        }
        probes.iter().for_each(|&minute| presence.probes.insert(minute));
        let gaps: Vec<_> = presence
            .gaps()
            .into_iter()
            .map(|(from, to)| (from.timestamp() / 60, to.timestamp() / 60))
            .collect();
        assert_eq!(gaps, expect);
    }

    #[test]
    fn silence_is_a_hole_only_against_a_heartbeat() {
        check(&[0, 300, 900], &[], &[]);
        let beats: Vec<i64> = (0..60).chain(120..180).collect();
        check(&[], &beats, &[(60, 120)]);
        check(&[69, 79, 89, 99, 109, 119], &beats, &[]);
    }

    #[test]
    fn nul_bytes_at_the_edge_of_a_file_reach_to_the_next_one() {
        let mut presence = Presence::default();
        [600, 1200, 3000, 3600].into_iter().for_each(|seconds| presence.saw(seconds));
        presence.holes_after.extend([1210, 3600]);
        presence.holes_before.extend([3000, 600]);
        presence.holes.insert((1215, 2000));
        let gaps = presence.gaps();
        let gaps: Vec<_> = gaps.iter().map(|(a, b)| (a.timestamp(), b.timestamp())).collect();
        assert_eq!(gaps, [(1210, 3000)]);
    }

    #[test]
    fn a_whole_day_is_always_a_hole() {
        check(&[100, 3 * 1440 + 5], &[], &[(101, 3 * 1440 + 5)]);
        check(&[1439, 1440 + 1439, 2 * 1440 + 1439], &[], &[]);
    }
}
