//! One figure, what it is held against, and whether it is as good as it shall be.

use serde::Serialize;

/// Which of two figures of one unit is the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// A rate: the higher one.
    Higher,
    /// A time, or an amount that something costs: the lower one.
    Lower,
}

/// How good a figure shall be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// At least so much.
    AtLeast(f64),
    /// Less than so much.
    Below(f64),
    /// At least so many times as good as the reference: a fraction where it may be worse.
    Ratio(f64),
}

/// A row of the report.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    name: &'static str,
    unit: &'static str,
    better: Better,
    ours: f64,
    reference: Option<(&'static str, f64)>,
    goal: Option<Goal>,
}

/// A row as it is written down.
#[derive(Serialize)]
struct Written {
    name: &'static str,
    unit: &'static str,
    ours: f64,
    reference: Option<f64>,
    reference_name: Option<&'static str>,
    ratio: Option<f64>,
    goal: Option<String>,
    holds: Option<bool>,
}

impl Row {
    /// What was measured of ours.
    #[must_use]
    pub const fn new(name: &'static str, unit: &'static str, better: Better, ours: f64) -> Self {
        Self { name, unit, better, ours, reference: None, goal: None }
    }

    /// The same with what was measured of something else beside it.
    #[must_use]
    pub const fn against(self, name: &'static str, reference: f64) -> Self {
        Self { reference: Some((name, reference)), ..self }
    }

    /// The same with what it shall be.
    #[must_use]
    pub const fn shall(self, goal: Goal) -> Self {
        Self { goal: Some(goal), ..self }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How many times as good as the reference it is; none without a reference.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (_, reference) = self.reference?;
        Some(match self.better {
            Better::Higher => self.ours / reference,
            Better::Lower => reference / self.ours,
        })
    }

    /// Whether it is as good as it shall be; none without a goal. What cannot be told does not hold.
    #[must_use]
    pub fn holds(&self) -> Option<bool> {
        Some(match self.goal? {
            Goal::AtLeast(least) => self.ours >= least,
            Goal::Below(bound) => self.ours < bound,
            Goal::Ratio(least) => self.ratio().is_some_and(|ratio| ratio >= least),
        })
    }

    /// Its cells for people: name, ours, reference, ratio, goal, and whether it holds.
    pub(super) fn cells(&self) -> [String; 6] {
        let reference = self.reference.map(|(name, figure)| format!("{} {name}", shown(figure)));
        let holds = self.holds().map(|holds| if holds { "holds" } else { "DOES NOT HOLD" }.to_owned());
        [
            self.name.to_owned(),
            format!("{} {}", shown(self.ours), self.unit),
            reference.unwrap_or_default(),
            self.ratio().map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            self.goal.map(|goal| goal.to_string()).unwrap_or_default(),
            holds.unwrap_or_default(),
        ]
    }
}

impl Serialize for Row {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = Written {
            name: self.name,
            unit: self.unit,
            ours: self.ours,
            reference: self.reference.map(|(_, figure)| figure),
            reference_name: self.reference.map(|(name, _)| name),
            ratio: self.ratio(),
            goal: self.goal.map(|goal| goal.to_string()),
            holds: self.holds(),
        };
        written.serialize(serializer)
    }
}

impl std::fmt::Display for Goal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, ">= {}", shown(*least)),
            Self::Below(bound) => write!(f, "< {}", shown(*bound)),
            Self::Ratio(least) => write!(f, "ratio >= {least:.2}"),
        }
    }
}

/// With as many digits as mean something.
fn shown(figure: f64) -> String {
    if figure.abs() >= 100.0 { format!("{figure:.0}") } else { format!("{figure:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_rates_the_higher_is_better() {
        let row = Row::new("replay", "facts/s", Better::Higher, 100.0).against("COPY", 200.0);
        assert_eq!(row.ratio(), Some(0.5));
        assert_eq!(row.clone().shall(Goal::Ratio(0.5)).holds(), Some(true));
        assert_eq!(row.shall(Goal::Ratio(0.6)).holds(), Some(false));
    }

    #[test]
    fn of_two_times_the_lower_is_better() {
        let row = Row::new("sync", "s", Better::Lower, 2.0).against("rclone", 16.0);
        assert_eq!(row.ratio(), Some(8.0));
        assert_eq!(row.clone().shall(Goal::Ratio(8.0)).holds(), Some(true));
        assert_eq!(row.shall(Goal::Ratio(9.0)).holds(), Some(false));
    }

    #[test]
    fn a_bound_is_met_from_its_side() {
        let (rate, time) = (Row::new("a", "1/s", Better::Higher, 5.0), Row::new("b", "s", Better::Lower, 5.0));
        assert_eq!(rate.clone().shall(Goal::AtLeast(5.0)).holds(), Some(true));
        assert_eq!(rate.clone().shall(Goal::AtLeast(6.0)).holds(), Some(false));
        assert_eq!(time.clone().shall(Goal::Below(6.0)).holds(), Some(true));
        assert_eq!(time.shall(Goal::Below(5.0)).holds(), Some(false));
        assert_eq!((rate.ratio(), rate.holds()), (None, None));
        assert_eq!(rate.shall(Goal::Ratio(0.1)).holds(), Some(false), "what cannot be told does not hold");
    }

    #[test]
    fn what_is_missing_is_written_as_null() {
        let row = Row::new("append", "ms", Better::Lower, 1.5);
        let written = serde_json::to_value(&row).unwrap();
        let expected = serde_json::json!({
            "name": "append", "unit": "ms", "ours": 1.5, "reference": null, "reference_name": null, "ratio": null,
            "goal": null, "holds": null,
        });
        assert_eq!(written, expected);
    }
}
