//! Functions outside of this server, against servers on this machine that behave well and badly.

use blue_faas::adapter::remote::http::HttpFunctions;
use blue_faas::port::platform::{Begun, Call, CallFailure, Caller, Outcome};
use blue_faas::port::remote::RemoteFunctions as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

fn call(timeout: Duration) -> Call {
    let mut headers = HeaderMap::new();
    headers.insert(header::HOST, HeaderValue::from_static("shop.example.com"));
    Call {
        method: Method::POST,
        uri: "http://shop.example.com/seen".parse().unwrap(),
        headers,
        body: Bytes::from_static(b"text"),
        timeout,
        memory: 0,
        max_body: 1_000,
    }
}

const PATIENCE: Duration = Duration::from_mins(1);

/// Answers each connection with these bytes, and keeps it open when `stays`. What was asked is kept.
async fn answering(answer: &'static [u8], stays: bool) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/x?y=1", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let kept = kept.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"text") {
                    let mut piece = [0; 1_024];
                    let Ok(length @ 1..) = stream.read(&mut piece).await else {
                        return;
                    };
                    request.extend_from_slice(&piece[..length]);
                }
                kept.lock()
                    .unwrap()
                    .push(String::from_utf8(request).unwrap());
                stream.write_all(answer).await.unwrap();
                if stays {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (url, asked)
}

async fn called(url: &str, call: &Call, caller: Option<Caller>) -> Outcome {
    let functions = HttpFunctions::new(None).unwrap();
    let target = url.parse().unwrap();
    functions.call(&target, call, caller).await
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_and_a_redirect_is_an_answer() {
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\nconnection: x-hop\r\nx-hop: 1\r\nset-cookie: a=1\r\ncontent-length: 2\r\n\r\nno";
    let (url, asked) = answering(redirect, false).await;
    let answer = called(&url, &call(PATIENCE), None).await.result.unwrap();
    assert_eq!(
        (answer.status.as_u16(), &answer.body[..]),
        (302, &b"no"[..])
    );
    assert!(answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("x-hop"));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].starts_with("POST /x?y=1 HTTP/1.1\r\n"),
        "{asked:?}"
    );
    assert!(asked[0].contains("host: shop.example.com\r\n"), "{asked:?}");
}

#[tokio::test]
async fn what_is_not_there_or_link_local_cannot_be_reached() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    for (url, cause) in [
        (url.as_str(), "refused"),
        ("http://169.254.169.254/latest/meta-data", "link-local"),
        ("http://[::ffff:169.254.169.254]/", "link-local"),
    ] {
        let failure = called(url, &call(PATIENCE), None).await.result.unwrap_err();
        assert!(
            matches!(&failure, CallFailure::Unreachable(text) if text.contains(cause)),
            "{url}: {failure:?}"
        );
    }
}

#[tokio::test]
async fn time_and_size_are_held() {
    let (silent, _) = answering(b"", true).await;
    let short = call(Duration::from_millis(300));
    let failed = async |url: &str, call: &Call| called(url, call, None).await.result.unwrap_err();
    assert_eq!(failed(&silent, &short).await, CallFailure::TimedOut);
    let (half, _) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", true).await;
    assert_eq!(failed(&half, &short).await, CallFailure::TimedOut);
    let (large, _) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n", true).await;
    let patient = call(PATIENCE);
    assert_eq!(
        failed(&large, &patient).await,
        CallFailure::ResponseTooLarge
    );
    let (broken, _) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", false).await;
    let failure = failed(&broken, &patient).await;
    assert!(
        matches!(failure, CallFailure::Unreachable(_)),
        "{failure:?}"
    );
}

#[tokio::test]
async fn what_stands_before_an_answer_is_none() {
    let upgraded =
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let (url, _) = answering(upgraded, true).await;
    let failure = called(&url, &call(PATIENCE), None).await.result;
    assert!(
        matches!(&failure, Err(CallFailure::Trapped(text)) if text.contains("101")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn an_answer_that_takes_its_time_begins_and_breaks_off() {
    let (half, _) = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", true).await;
    let begun = Arc::new(Mutex::new(None::<Begun>));
    let slot = begun.clone();
    let caller = Caller {
        on_begin: Arc::new(move |begun| *slot.lock().unwrap() = Some(begun)),
        left: CancellationToken::new(),
    };
    let outcome = called(&half, &call(Duration::from_secs(3)), Some(caller)).await;
    assert_eq!(outcome.result.unwrap_err(), CallFailure::TimedOut);
    let mut begun = begun.lock().unwrap().take().expect("it began");
    assert_eq!(begun.status.as_u16(), 200);
    let first = begun.body.recv().await.unwrap();
    assert_eq!(&first.expect("a piece")[..], b"half");
    assert!(begun.body.recv().await.unwrap().is_err());
    assert!(begun.body.recv().await.is_none());
}

#[tokio::test]
async fn who_leaves_before_there_is_an_answer_ends_the_call() {
    let (silent, asked) = answering(b"", true).await;
    let left = CancellationToken::new();
    let caller = Caller {
        on_begin: Arc::new(|_| panic!("nothing begins")),
        left: left.clone(),
    };
    let leaving = async {
        while asked.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        left.cancel();
    };
    let patient = call(Duration::from_hours(1));
    let (outcome, ()) = tokio::join!(called(&silent, &patient, Some(caller)), leaving);
    let failure = outcome.result.unwrap_err();
    assert_eq!(failure, CallFailure::CallerLeft { ran: true });
}
