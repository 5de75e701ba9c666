//! Counters, gauges and histograms, and their text for Prometheus.
//!
//! One lock over one map: metrics are touched once a batch, not once a message, and labels have few values.
//! Only what is in the [`catalogue`] can be counted.

pub mod catalogue;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use catalogue::{Kind, Metric};

/// Series of one metric at the most: a label that turns out to be unbounded must not eat the memory.
const SERIES: usize = 10_000;

#[derive(Debug, Clone)]
enum Value {
    Number(f64),
    Classes { counts: Vec<u64>, sum: f64, count: u64 },
}

impl Value {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter | Kind::Gauge => Self::Number(0.0),
            Kind::Histogram(ends) => Self::Classes {
                counts: vec![0; ends.len()],
                sum: 0.0,
                count: 0,
            },
        }
    }
}

/// Observations of one histogram that are made away from the [`Registry`]'s lock and merged into it at once, so that
/// something may be observed for each message.
#[derive(Debug, Clone)]
pub struct Tally {
    metric: &'static Metric,
    value: Value,
}

impl Tally {
    /// None yet. Of a metric that is no histogram there never are any.
    pub fn new(metric: &'static Metric) -> Self {
        Self {
            metric,
            value: Value::new(metric.kind),
        }
    }

    /// One more.
    pub fn observe(&mut self, size: f64) {
        if let Kind::Histogram(ends) = self.metric.kind {
            self.value.observe(ends, size, 1);
        }
    }
}

impl Value {
    fn observe(&mut self, ends: &[f64], size: f64, times: u64) {
        if let Self::Classes { counts, sum, count } = self {
            *count += times;
            *sum += size * times as f64;
            for (class, end) in counts.iter_mut().zip(ends) {
                if size <= *end {
                    *class += times;
                }
            }
        }
    }

    fn merge(&mut self, more: &Self) {
        if let (
            Self::Classes { counts, sum, count },
            Self::Classes {
                counts: more_counts,
                sum: more_sum,
                count: more_count,
            },
        ) = (self, more)
        {
            *count += more_count;
            *sum += more_sum;
            for (class, more) in counts.iter_mut().zip(more_counts) {
                *class += more;
            }
        }
    }
}

type Series = BTreeMap<Vec<String>, Value>;

/// What a process has counted.
#[derive(Debug, Default)]
pub struct Registry(Mutex<BTreeMap<&'static str, Series>>);

impl Registry {
    /// Adds to a counter.
    pub fn add(&self, metric: &'static Metric, labels: &[&str], n: u64) {
        self.change(metric, labels, |value| {
            if let Value::Number(number) = value {
                *number += n as f64;
            }
        });
    }

    /// Sets a gauge.
    pub fn set(&self, metric: &'static Metric, labels: &[&str], to: f64) {
        self.change(metric, labels, |value| {
            if let Value::Number(number) = value {
                *number = to;
            }
        });
    }

    /// Adds `times` observations of this size to a histogram.
    pub fn observe(&self, metric: &'static Metric, labels: &[&str], size: f64, times: u64) {
        let Kind::Histogram(ends) = metric.kind else {
            return;
        };
        self.change(metric, labels, |value| value.observe(ends, size, times));
    }

    /// Adds what was observed elsewhere.
    pub fn merge(&self, tally: &Tally, labels: &[&str]) {
        self.change(tally.metric, labels, |value| value.merge(&tally.value));
    }

    /// Forgets all series of a metric: for gauges of things that are gone.
    pub fn clear(&self, metric: &'static Metric) {
        self.lock().remove(metric.name);
    }

    fn change(&self, metric: &'static Metric, labels: &[&str], change: impl FnOnce(&mut Value)) {
        debug_assert_eq!(metric.labels.len(), labels.len(), "{}", metric.name);
        let mut all = self.lock();
        let series = all.entry(metric.name).or_default();
        let key: Vec<String> = labels.iter().map(|l| (*l).to_owned()).collect();
        if series.len() >= SERIES && !series.contains_key(&key) {
            return;
        }
        change(series.entry(key).or_insert_with(|| Value::new(metric.kind)));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Series>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it in Prometheus' text format 0.0.4. A metric without labels is there from the start, with zero: an
    /// alert on something that is not there never fires.
    pub fn to_text(&self) -> String {
        let all = self.lock().clone();
        let mut text = String::new();
        for metric in catalogue::ALL {
            let Metric { name, kind, help, .. } = metric;
            let mut series = all.get(name).cloned().unwrap_or_default();
            if metric.labels.is_empty() {
                series.entry(Vec::new()).or_insert_with(|| Value::new(*kind));
            }
            let help = help.trim().replace('\\', "\\\\").replace('\n', " ");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {}", kind.as_str());
            for (labels, value) in &series {
                line(&mut text, metric, labels, value);
            }
        }
        text
    }
}

fn line(text: &mut String, metric: &Metric, values: &[String], value: &Value) {
    let name = metric.name;
    let labels: Vec<String> = metric
        .labels
        .iter()
        .zip(values)
        .map(|(label, value)| {
            let value = value
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            format!("{label}=\"{value}\"")
        })
        .collect();
    let braced = |more: Option<String>| {
        let all: Vec<_> = labels.iter().cloned().chain(more).collect();
        if all.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", all.join(","))
        }
    };
    let _ = match (value, metric.kind) {
        (Value::Classes { counts, sum, count }, Kind::Histogram(ends)) => {
            for (end, class) in ends.iter().zip(counts) {
                let _ = writeln!(
                    text,
                    "{name}_bucket{} {class}",
                    braced(Some(format!("le=\"{end}\"")))
                );
            }
            let all = braced(Some("le=\"+Inf\"".to_owned()));
            let bare = braced(None);
            writeln!(
                text,
                "{name}_bucket{all} {count}\n{name}_sum{bare} {sum}\n{name}_count{bare} {count}"
            )
        }
        (Value::Number(number), _) => writeln!(text, "{name}{} {number}", braced(None)),
        (Value::Classes { .. }, _) => Ok(()),
    };
}

#[cfg(test)]
mod tests;
