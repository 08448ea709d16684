//! The line in which the builds of a host wait. First come, first served: an app has one deployment
//! in progress, so none can push in before another twice.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// The line of a host.
#[derive(Debug)]
pub struct Line {
    parallel: usize,
    next: AtomicU64,
    waiting: watch::Sender<Vec<(u64, String)>>,
}

impl Line {
    /// A line of which the first so many may build at once.
    #[must_use]
    pub fn new(parallel: u32) -> Line {
        let parallel = usize::try_from(parallel).unwrap_or(1).max(1);
        Line { parallel, next: AtomicU64::new(1), waiting: watch::channel(Vec::new()).0 }
    }

    /// Stands in the line under a name, `api #12`, until it is its turn. `told` hears what it waits
    /// for, now and whenever that changes. The turn ends when the answer is dropped.
    pub async fn turn(&self, name: String, mut told: impl FnMut(String)) -> Turn {
        let mut line = self.waiting.subscribe();
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.send_modify(|line| line.push((id, name)));
        let turn = Turn { id, waiting: self.waiting.clone() };
        let mut said = String::new();
        loop {
            let text = {
                let now = line.borrow_and_update();
                let at = now.iter().position(|(it, _)| *it == id).unwrap_or_default();
                if at < self.parallel {
                    return turn;
                }
                waits(&now, at, self.parallel)
            };
            if text != said {
                told(text.clone());
                said = text;
            }
            // The sender is ours: it cannot be closed.
            let _ = line.changed().await;
        }
    }
}

/// "waits for the build of api #12; second in line"
fn waits(line: &[(u64, String)], at: usize, parallel: usize) -> String {
    let names: Vec<&str> = line[..parallel].iter().map(|(_, name)| name.as_str()).collect();
    let builds = if names.len() == 1 { "build" } else { "builds" };
    let place = match at - parallel {
        0 => "next in line".into(),
        1 => "second in line".into(),
        2 => "third in line".into(),
        more => format!("{}th in line", more + 1),
    };
    format!("waits for the {builds} of {}; {place}", names.join(" and "))
}

/// A place in the line.
#[derive(Debug)]
pub struct Turn {
    id: u64,
    waiting: watch::Sender<Vec<(u64, String)>>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.waiting.send_modify(|line| line.retain(|(id, _)| *id != self.id));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_build_waits_for_those_before_it_and_hears_its_place() {
        let line = Arc::new(Line::new(1));
        let first = line.turn("api #12".into(), |_| panic!("it waits for nothing")).await;
        let wait = |name: &str| {
            let (line, name, heard) = (line.clone(), name.to_owned(), Arc::new(Mutex::new(vec![])));
            let hears = heard.clone();
            let task =
                tokio::spawn(
                    async move { line.turn(name, |it| hears.lock().unwrap().push(it)).await },
                );
            (task, heard)
        };
        let (second, second_heard) = wait("shop #3");
        tokio::time::sleep(Duration::from_millis(10)).await;
        let (third, third_heard) = wait("blog #7");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert_eq!(
            *third_heard.lock().unwrap(),
            ["waits for the build of api #12; second in line"]
        );
        // One that gives up leaves the line to the others.
        second.abort();
        assert!(second.await.is_err());
        assert_eq!(*second_heard.lock().unwrap(), ["waits for the build of api #12; next in line"]);
        drop(first);
        let turn = tokio::time::timeout(Duration::from_secs(5), third).await.unwrap().unwrap();
        assert_eq!(
            third_heard.lock().unwrap().last().unwrap(),
            "waits for the build of api #12; next in line"
        );
        drop(turn);
        line.turn("shop #4".into(), |_| panic!("the line is empty")).await;
    }

    #[tokio::test]
    async fn as_many_build_at_once_as_may() {
        let line = Line::new(2);
        let _one = line.turn("a #1".into(), |_| ()).await;
        let _two = line.turn("b #1".into(), |_| ()).await;
        let mut heard = Vec::new();
        let third = line.turn("c #1".into(), |it| heard.push(it));
        assert!(tokio::time::timeout(Duration::from_millis(20), third).await.is_err());
        assert_eq!(heard, ["waits for the builds of a #1 and b #1; next in line"]);
    }
}
