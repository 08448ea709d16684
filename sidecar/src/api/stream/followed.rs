//! What a stream follows, each by itself: nothing of it works ahead of being asked.

use futures_util::StreamExt;
use futures_util::future::{AbortHandle, Abortable};
use futures_util::stream::{BoxStream, SelectAll, Stream};
use vial_protocol::live::Live;

/// Everything that one stream follows.
#[derive(Default)]
pub(super) struct Followed {
    all: SelectAll<Abortable<BoxStream<'static, (u64, Live)>>>,
    count: u64,
}

/// One of them. Dropped, it is followed no more, and nothing that it had is told.
#[derive(Debug)]
pub(super) struct Follower {
    id: u64,
    abort: AbortHandle,
}

impl Followed {
    /// Follows one more.
    pub(super) fn follow(&mut self, it: impl Stream<Item = Live> + Send + 'static) -> Follower {
        self.count += 1;
        let id = self.count;
        let (abort, registration) = AbortHandle::new_pair();
        self.all.push(Abortable::new(it.map(move |live| (id, live)).boxed(), registration));
        Follower { id, abort }
    }

    /// The next event, and whose it is. May be dropped and called again without losing one.
    pub(super) async fn next(&mut self) -> (u64, Live) {
        match self.all.next().await {
            Some(next) => next,
            // Nothing is followed: whoever calls waits for something else too.
            None => std::future::pending().await,
        }
    }
}

impl Follower {
    /// Whether it is this one that an event came from.
    pub(super) fn is(&self, id: u64) -> bool {
        self.id == id
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};

    use super::*;

    #[tokio::test]
    async fn what_is_dropped_says_nothing_more() {
        let mut followed = Followed::default();
        let first = followed.follow(stream::repeat_with(|| Live::Complete));
        let name = "shop".to_owned();
        let second = followed.follow(stream::iter([Live::AppRemoved { name }]));
        let mut told = Vec::new();
        for _ in 0..4 {
            told.push(followed.next().await.0);
        }
        assert!(told.iter().any(|id| first.is(*id)) && told.iter().any(|id| second.is(*id)));
        drop(first);
        assert!(followed.next().now_or_never().is_none());
    }
}
