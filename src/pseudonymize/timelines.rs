//! What a page draws into the same under pseudonyms. Every text of every field is gone through here.

use super::Pseudonyms;
use super::text::Words;
use stillin_reports::chain::Request;
use stillin_reports::report::ChangeEvidence;
use stillin_reports::timeline::{Mark, Timeline, Timelines};

impl Pseudonyms<'_> {
    /// All timelines.
    pub fn timelines(&self, timelines: Timelines) -> Timelines {
        let Timelines { list, spells } = timelines;
        Timelines {
            list: list.into_iter().map(|timeline| self.timeline(timeline)).collect(),
            spells,
        }
    }

    fn timeline(&self, timeline: Timeline) -> Timeline {
        // Without `..`: a field that is new has to be gone through as well, or this does not compile.
        let Timeline {
            finding,
            paths,
            from,
            to,
            runs,
            marks,
            log,
            holes,
            quoted,
            left_out,
            marks_left_out,
        } = timeline;
        let marks = marks.into_iter().map(|mark| self.mark(mark)).collect();
        let quoted = quoted.into_iter().map(|request| self.quoted(request)).collect();
        Timeline {
            finding,
            paths,
            from,
            to,
            runs,
            marks,
            log,
            holes,
            quoted,
            left_out,
            marks_left_out,
        }
    }

    fn mark(&self, mark: Mark) -> Mark {
        let Mark { at, what, text, times, place } = mark;
        let place = place.map(|place| self.place(place));
        Mark { at, what, text: self.text(&text, Words::About), times, place }
    }

    fn quoted(&self, request: Request) -> Request {
        Request {
            command: self.command(&request.command),
            place: self.place(request.place),
            twin: request.twin.map(|twin| self.place(twin)),
            ..request
        }
    }

    fn place(&self, place: ChangeEvidence) -> ChangeEvidence {
        ChangeEvidence { path: self.path(&place.path), ..place }
    }
}
