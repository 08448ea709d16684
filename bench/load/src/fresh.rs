//! Clients that open a connection for each request.

use std::sync::Arc;

use hyper::header::{CONNECTION, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::context::Context;
use crate::exchange::{Outcome, Question, connect};
use crate::loss::Loss;
use crate::report::Class;
use crate::schedule::Schedule;

/// So many at once, so that a target that hangs does not take the load's own file descriptors:
/// what is due beyond them waits, and its latency shows it.
const IN_FLIGHT: usize = 512;

/// All the requests of one class.
pub async fn run(context: Arc<Context>, class: Class, mut schedule: Schedule, question: Question) {
    let places = Arc::new(Semaphore::new(IN_FLIGHT));
    while let Some(due) = schedule.due().await {
        let place = tokio::select! {
            biased;
            () = context.stop.cancelled() => return,
            place = places.clone().acquire_owned() => place,
        };
        let context = context.clone();
        let question = question.clone();
        let shot = context.tally.begin(class);
        context.tasks.clone().spawn(async move {
            let sent = Instant::now();
            let outcome = timeout(context.timeout, ask(&context, &question, sent))
                .await
                .unwrap_or_else(|_| Outcome::lost(sent, Loss::TimedOut(context.timeout)));
            context.tally.end(shot, due, outcome);
            drop(place);
        });
    }
}

async fn ask(context: &Context, question: &Question, sent: Instant) -> Outcome {
    let mut connection = match connect(&context.target).await {
        Ok(connection) => connection,
        Err(loss) => return Outcome::lost(sent, loss),
    };
    let mut request = match question.request(&context.target) {
        Ok(request) => request,
        Err(loss) => return Outcome::lost(sent, loss),
    };
    request.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    match connection.send_request(request).await {
        Ok(response) => question.judge(sent, response).await,
        Err(error) => Outcome::lost(sent, Loss::before_response(&error)),
    }
}
