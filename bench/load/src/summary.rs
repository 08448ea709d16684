//! A report for a person to read.

use std::fmt;

use crate::report::{Class, Report};

/// So many failures and dropped WebSockets are shown; the counts above them are whole.
const SHOWN: usize = 20;

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::KeepAlive => "keep-alive",
            Self::Fresh => "fresh",
            Self::Slow => "slow",
            Self::Post => "post",
            Self::Websocket => "websocket",
        })
    }
}

impl fmt::Display for Report {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.sending_ms as f64 / 1000.0;
        let rate = self.sent() as f64 / seconds.max(0.001);
        writeln!(
            f,
            "{} requests in {seconds:.1} s ({rate:.0} a second), {} failed",
            self.sent(),
            self.failed()
        )?;
        self.classes(f)?;
        self.origins(f)?;
        self.websockets(f)?;
        for failure in self.failures.iter().take(SHOWN) {
            write!(f, "  at {:>7} ms  {:10}  {}", failure.at_ms, failure.class, failure.what)?;
            match &failure.version {
                Some(version) => writeln!(f, " (answered by {version})")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

impl Report {
    fn classes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (class, counts) in &self.classes {
            writeln!(
                f,
                "  {class:10}  {:>8} sent  {:>8} ok  {:>6} failed  {:>5} reconnects  \
                 p50 {:.1} ms  p99 {:.1} ms  max {:.1} ms",
                counts.sent,
                counts.ok,
                counts.failed,
                counts.reconnects,
                counts.latency_p50_ms,
                counts.latency_p99_ms,
                counts.latency_max_ms
            )?;
        }
        Ok(())
    }

    fn origins(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, sightings) in [("version", &self.versions), ("slot", &self.slots)] {
            for (name, sighting) in sightings {
                writeln!(
                    f,
                    "  {what} {name}: {} responses, {} failed, from {} to {} ms",
                    sighting.responses,
                    sighting.failed,
                    sighting.first_seen_ms,
                    sighting.last_seen_ms
                )?;
            }
        }
        Ok(())
    }

    fn websockets(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sockets = &self.websockets;
        if sockets.opened + sockets.failed == 0 {
            return Ok(());
        }
        writeln!(
            f,
            "  WebSockets: {} opened, {} not, {} alive, {} dropped; \
             {} messages, {} echoed, {} lost",
            sockets.opened,
            sockets.failed,
            sockets.alive,
            sockets.drops,
            sockets.messages_sent,
            sockets.echoed,
            sockets.lost
        )?;
        for drop in sockets.dropped.iter().take(SHOWN) {
            let code = drop.code.map_or(String::from("no code"), |code| code.to_string());
            writeln!(f, "    dropped at {} ms: {code}, {}", drop.at_ms, drop.reason)?;
        }
        Ok(())
    }
}
