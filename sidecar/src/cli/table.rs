//! Aligned columns that fit the terminal.

use super::look::{Look, Tone, cut, width};

/// Columns between columns.
const GAP: usize = 2;
/// Below this a column says too little to be worth having.
const NARROWEST: usize = 6;

/// One cell: clean text and its tone.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell. The text must be clean.
    pub fn new(text: impl Into<String>, tone: Tone) -> Self {
        Cell { text: text.into(), tone }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Cell::new(text, Tone::Plain)
    }
}

/// A table. Columns whose title ends in `…` give way first where there is too little room, and
/// those whose title starts with a space stand to the right.
#[derive(Debug)]
pub struct Table {
    titles: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns.
    #[must_use]
    pub fn new(titles: &[&'static str]) -> Self {
        Table { titles: titles.to_vec(), rows: Vec::new() }
    }

    /// Adds a row; it has as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// The table as lines, each behind `indent`. Columns without any text are left out.
    #[must_use]
    pub fn render(&self, look: &Look, indent: &str) -> String {
        let shown: Vec<usize> = (0..self.titles.len())
            .filter(|column| self.cells(*column).any(|cell| !cell.text.is_empty()))
            .collect();
        let widths = self.widths(&shown, look.width.map(|room| room.saturating_sub(indent.len())));
        let titles: Vec<Cell> =
            self.titles.iter().map(|title| Cell::new(plain(title), Tone::Dim)).collect();
        let mut text = String::new();
        for row in std::iter::once(&titles).chain(&self.rows) {
            let mut line = indent.to_owned();
            let mut pending = 0;
            for (column, columns) in shown.iter().zip(&widths) {
                let Some(cell) = row.get(*column) else { continue };
                let shown = cut(&cell.text, *columns);
                let room = columns - width(&shown);
                let right = self.titles[*column].starts_with(' ');
                // Spaces are owed and paid before the next text, so that no line ends in them.
                let before = pending + if right { room } else { 0 };
                if !shown.is_empty() {
                    line.push_str(&" ".repeat(before));
                    line.push_str(&look.paint(cell.tone, &shown));
                    pending = 0;
                } else {
                    pending = before;
                }
                pending += GAP + if right { 0 } else { room };
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }

    fn cells(&self, column: usize) -> impl Iterator<Item = &Cell> {
        self.rows.iter().filter_map(move |row| row.get(column))
    }

    fn widths(&self, shown: &[usize], room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = shown
            .iter()
            .map(|column| {
                let title = width(plain(self.titles[*column]));
                self.cells(*column).map(|cell| width(&cell.text)).fold(title, usize::max)
            })
            .collect();
        let Some(room) = room else { return widths };
        let gaps = GAP * widths.len().saturating_sub(1);
        for soft_only in [true, false] {
            while widths.iter().sum::<usize>() + gaps > room {
                let widest = (0..widths.len())
                    .filter(|at| widths[*at] > NARROWEST)
                    .filter(|at| !soft_only || self.titles[shown[*at]].ends_with('…'))
                    .max_by_key(|at| widths[*at]);
                let Some(widest) = widest else { break };
                widths[widest] -= 1;
            }
        }
        widths
    }
}

fn plain(title: &str) -> &str {
    title.trim_start_matches(' ').trim_end_matches('…')
}

#[cfg(test)]
mod tests {
    use super::super::look::tests::plain as look;
    use super::*;

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["App", " Port", "Nothing", "Note…"]);
        table.row(["shop".into(), "4000".into(), Cell::default(), "good".into()]);
        table.row(["漢字-app".into(), "80".into(), Cell::default(), Cell::default()]);
        assert_eq!(
            table.render(&look(), ""),
            "App       Port  Note\nshop      4000  good\n漢字-app    80\n"
        );
    }

    #[test]
    fn soft_columns_give_way_first_and_then_all() {
        let mut look = look();
        look.width = Some(30);
        let mut table = Table::new(&["App", "Reason…"]);
        table.row(["a-name-of-20-letters".into(), "because of the checkout".into()]);
        assert_eq!(
            table.render(&look, ""),
            "App                   Reason\na-name-of-20-letters  because…\n"
        );
        look.width = Some(20);
        for line in table.render(&look, "  ").lines() {
            assert!(width(line) <= 20, "{line}");
        }
    }

    #[test]
    fn without_a_width_nothing_is_cut() {
        let mut look = look();
        look.width = None;
        let mut table = Table::new(&["Reason…"]);
        table.row(["x".repeat(500).into()]);
        assert!(table.render(&look, "").contains(&"x".repeat(500)));
    }
}
