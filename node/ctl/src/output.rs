//! Answers, for people and for programs.

use crate::failure::Failure;
use breakwater_terminal::{print, print_json};
use comfy_table::{presets::NOTHING, Cell, CellAlignment, Table};
use serde_json::Value;

/// What a command found out: names and values, in the order they are shown.
#[derive(Debug, Default)]
pub(crate) struct Answer(Vec<(&'static str, Value, String)>);

impl Answer {
    /// Adds a value: its name and text for programs, and the unit that people see after it.
    pub(crate) fn add(&mut self, name: &'static str, value: impl Into<Value>, unit: &str) {
        self.0.push((name, value.into(), unit.to_owned()));
    }

    /// Writes the answer: an object, or a line for each value.
    pub(crate) fn print(self, json: bool) -> Result<(), Failure> {
        if json {
            let fields = self.0.into_iter();
            let object = fields.map(|(name, value, _)| (name.to_owned(), value));
            return print_json(&Value::Object(object.collect())).map_err(Failure::Stdout);
        }
        let mut text = String::new();
        for (name, value, unit) in self.0 {
            let name = name.replace('_', " ");
            match &value {
                Value::Array(rows) if rows.iter().any(Value::is_object) => {
                    text.push_str(&table(rows));
                }
                _ => {
                    let value = plain(&value);
                    text.push_str(format!("{name:<20} {value} {unit}").trim_end());
                    text.push('\n');
                }
            }
        }
        print(&text).map_err(Failure::Stdout)
    }
}

/// A value as people read it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(value) => value.clone(),
        Value::Null => "-".to_owned(),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(plain).collect();
            match values.is_empty() {
                true => "-".to_owned(),
                false => values.join(", "),
            }
        }
        other => other.to_string(),
    }
}

/// Objects of the same names as lines under them, numbers under each other's last digit.
fn table(rows: &[Value]) -> String {
    let columns: Vec<_> = rows
        .first()
        .and_then(Value::as_object)
        .map(|row| row.keys().cloned().collect())
        .unwrap_or_default();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header(columns.iter().map(|name| right(name.replace('_', " "))));
    for row in rows {
        table.add_row(columns.iter().map(|name| right(plain(&row[name]))));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = table.trim_fmt();
    text.push('\n');
    text
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_lists_and_as_tables() {
        assert_eq!(plain(&serde_json::json!([1, 2])), "1, 2");
        assert_eq!(plain(&serde_json::json!([])), "-");
        let rows = [
            serde_json::json!({"debt": "10", "positions": 1}),
            serde_json::json!({"debt": "2.5", "positions": null}),
        ];
        assert_eq!(
            table(&rows),
            "debt  positions\n  10          1\n 2.5          -\n"
        );
    }
}
