//! Clients that keep their connection, as browsers and proxies do.

use std::sync::Arc;

use tokio::time::{Instant, timeout};

use crate::context::Context;
use crate::exchange::{Outcome, Question, Sender, connect};
use crate::loss::Loss;
use crate::report::Class;
use crate::schedule::Schedule;

/// One connection's worth of requests; `question` makes the next one.
pub async fn run(
    context: Arc<Context>,
    class: Class,
    mut schedule: Schedule,
    mut question: impl FnMut() -> Question,
) {
    let mut client = Client { context, class, connection: None };
    while let Some(due) = schedule.due().await {
        let question = question();
        let shot = client.context.tally.begin(class);
        let sent = Instant::now();
        let limit = client.context.timeout;
        let outcome = match timeout(limit, client.ask(&question)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                client.connection = None;
                Outcome::lost(sent, Loss::TimedOut(limit))
            }
        };
        client.context.tally.end(shot, due, outcome);
    }
}

struct Client {
    context: Arc<Context>,
    class: Class,
    connection: Option<Sender>,
}

impl Client {
    async fn ask(&mut self, question: &Question) -> Outcome {
        let sent = Instant::now();
        self.try_ask(question).await.unwrap_or_else(|loss| Outcome::lost(sent, loss))
    }

    async fn try_ask(&mut self, question: &Question) -> Result<Outcome, Loss> {
        let mut request = question.request(&self.context.target)?;
        if let Some(mut kept) = self.connection.take() {
            // Both ways to learn that it was closed while idle come before anything is written.
            if kept.ready().await.is_ok() {
                let sent = Instant::now();
                match kept.try_send_request(request).await {
                    Ok(response) => return Ok(self.finish(question, kept, sent, response).await),
                    Err(mut error) => match error.take_message() {
                        Some(unsent) => request = unsent,
                        None => return Err(Loss::before_response(error.error())),
                    },
                }
            }
            self.context.tally.reconnected(self.class);
        }
        let mut fresh = connect(&self.context.target).await?;
        let sent = Instant::now();
        match fresh.send_request(request).await {
            Ok(response) => Ok(self.finish(question, fresh, sent, response).await),
            Err(error) => Err(Loss::before_response(&error)),
        }
    }

    async fn finish(
        &mut self,
        question: &Question,
        connection: Sender,
        sent: Instant,
        response: hyper::Response<hyper::body::Incoming>,
    ) -> Outcome {
        let outcome = question.judge(sent, response).await;
        // Where the body broke off, so did the connection, and that is counted already.
        if matches!(outcome.result, Ok(()) | Err(Loss::Status(_) | Loss::WrongAnswer(_))) {
            self.connection = Some(connection);
        }
        outcome
    }
}
