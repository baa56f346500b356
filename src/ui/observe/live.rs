//! The lines of the Live logs tab as they come.

use leptos::prelude::*;
use leptos::task::spawn_local;
use std::time::Duration;

use super::lines::KEPT;
use crate::api::observe::live_lines;
use crate::model::metrics::LogLine;
use crate::ui::browser;
use crate::ui::pages::function::FunctionContext;

const POLL: Duration = Duration::from_secs(1);
/// Lines asked for at once.
pub const LIMIT: usize = 300;

/// A line with its number in this page, which tells lines of the same instant apart.
pub type NumberedLine = (u64, LogLine);

/// What the tab holds. While paused, new lines wait in `held`.
#[derive(Clone, Copy)]
pub struct LiveLines {
    pub shown: RwSignal<Vec<NumberedLine>>,
    pub held: RwSignal<Vec<NumberedLine>>,
    pub paused: RwSignal<bool>,
    /// Lines that came so far.
    count: StoredValue<u64>,
    /// The last call failed.
    pub outage: RwSignal<bool>,
}

impl LiveLines {
    pub fn new(initial: Vec<LogLine>) -> Self {
        let lines = Self {
            shown: RwSignal::new(Vec::new()),
            held: RwSignal::new(Vec::new()),
            paused: RwSignal::new(false),
            count: StoredValue::new(0),
            outage: RwSignal::new(false),
        };
        lines.shown.set(lines.number(initial));
        lines
    }

    fn number(self, lines: Vec<LogLine>) -> Vec<NumberedLine> {
        let first = self.count.get_value();
        self.count.set_value(first + lines.len() as u64);
        (first..).zip(lines).collect()
    }

    fn last_nanos(self) -> Option<i64> {
        let last = |lines: &Vec<NumberedLine>| lines.last().map(|(_, line)| line.nanos);
        self.held
            .with_untracked(last)
            .or_else(|| self.shown.with_untracked(last))
    }

    fn add(self, newer: Vec<NumberedLine>) {
        if newer.is_empty() {
            return;
        }
        let target = if self.paused.get_untracked() {
            self.held
        } else {
            self.shown
        };
        target.update(|lines| {
            lines.extend(newer);
            let excess = lines.len().saturating_sub(KEPT);
            lines.drain(..excess);
        });
    }

    /// Pauses, or shows what waited and goes on.
    pub fn toggle(self) {
        self.paused.update(|paused| *paused = !*paused);
        if !self.paused.get_untracked() {
            let waiting = self.held.try_update(std::mem::take).unwrap_or_default();
            self.add(waiting);
        }
    }

    /// Asks for newer lines every second.
    pub fn follow(self, context: FunctionContext) {
        let asking = StoredValue::new(false);
        browser::use_interval(POLL, move || {
            if asking.get_value() {
                return;
            }
            asking.set_value(true);
            spawn_local(async move {
                let answer = live_lines(context.function(), LIMIT, self.last_nanos()).await;
                // The page may have been left meanwhile.
                if asking.try_set_value(false).is_some() {
                    return;
                }
                if self.outage.get_untracked() != answer.is_err() {
                    self.outage.set(answer.is_err());
                }
                if let Ok(newer) = answer {
                    self.add(self.number(newer));
                }
            });
        });
    }
}
