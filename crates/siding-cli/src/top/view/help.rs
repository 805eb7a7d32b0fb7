//! What the keys do, and what the words mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Borders, Paragraph, Wrap};

const HELP: &str = "\
up down k j       mark a route, scroll; Page Up, Page Down, g, G go further
Enter             the marked route: its advice, its evidence, its moves
Esc               back; in the overview: all routes again
s                 order by requests/s, p99, stalls, name
/                 only routes with this in their name
p                 hold the picture
q, Ctrl-C         quit

running/threads   jobs that run, and the threads or child processes there are for them;
                  in brackets as many as the lane may have, and how many came or went
waiting           jobs that wait for a thread, and as many as may wait
refused/s         requests that were answered 503 because the lane was full
lane              where a route was declared to run, and where placement moved it
verdict           what the route did when it held the event loop: blocked, computing,
                  preempted (the machine was busy), unknown
p50, p99          since the application started";

pub(super) fn draw(frame: &mut Frame<'_>, area: Rect) {
    let block = Block::new().borders(Borders::TOP).title("Help");
    let text = Paragraph::new(HELP).wrap(Wrap { trim: false });
    frame.render_widget(text.block(block), area);
}
