//! Servers that speak DynamoDB's protocol, as processes on this machine. They stand for the real one, and none of them is it: what each gets
//! wrong is declared where the contract is run on it.

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use blue_faas::adapter::aws;
use blue_faas::adapter::store::dynamodb::{DynamoStore, Patience};
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::answer::Answer;

const START_TIMEOUT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(5);

/// A running server that keeps its tables in memory.
pub struct Emulator {
    process: Child,
    pub address: String,
    /// dynalite expires no items, and says so when it is asked to.
    expires: bool,
}

impl Emulator {
    /// Transactions, tokens and limits as DynamoDB has them, except where the contract says otherwise.
    pub fn dynoxide() -> Self {
        let port = free_port();
        let mut command = Command::new("dynoxide");
        command.args(["serve", "--port", &port.to_string()]);
        Self::start(command, port, true)
    }

    /// Exact about limits and errors; no transactions.
    pub fn dynalite() -> Self {
        let port = free_port();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("node_modules/dynalite/cli.js");
        let mut command = Command::new("node");
        command
            .arg(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--createTableMs", "0"]);
        Self::start(command, port, false)
    }

    fn start(mut command: Command, port: u16, expires: bool) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().unwrap_or_else(|error| {
            panic!("{command:?} cannot be started: {error}. Run `make setup-test`.")
        });
        let mut emulator = Self {
            process,
            address: format!("127.0.0.1:{port}"),
            expires,
        };
        let deadline = Instant::now() + START_TIMEOUT;
        while TcpStream::connect(&emulator.address).is_err() {
            let ended = emulator
                .process
                .try_wait()
                .expect("the server is our child");
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "{command:?} does not listen ({ended:?}). Run `make setup-test`."
            );
            std::thread::sleep(POLL);
        }
        emulator
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks for an operation in DynamoDB's own words, as another program would. Fails the test unless it succeeds.
    pub async fn ask(&self, operation: &str, body: &Value) -> Value {
        // The client is built with TLS although it never speaks it here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build();
        let signature = "AWS4-HMAC-SHA256 Credential=test/20250101/ap-northeast-2/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
        let request = client
            .expect("a client")
            .post(self.url())
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("authorization", signature)
            .header("x-amz-date", "20250101T000000Z")
            .body(body.to_string());
        Answer::of(request).await.with_status(200)
    }

    /// A store on a table of its own.
    pub async fn new_store(&self) -> DynamoStore {
        if self.expires {
            return new_store_at(&self.url()).await;
        }
        let store = store_at(&self.url(), &new_table_name()).await;
        let line = store.create_table().await.expect_err("no expiry");
        assert!(line.contains("UnknownOperation"), "{line}");
        store
    }

    /// What makes a server keep its records in a table here, which is there already. They live as long as the test's process.
    pub async fn settings(&self) -> &'static [(&'static str, &'static str)] {
        let table = new_table_name();
        let created = store_at(&self.url(), &table).await.create_table().await;
        created.expect("a table");
        settings_at(&self.url(), &table)
    }
}

/// What makes a server keep its records in this table. They live as long as the test's process.
pub fn settings_at(url: &str, table: &str) -> &'static [(&'static str, &'static str)] {
    let settings = vec![
        ("BLUE_FAAS_STORE", "dynamodb"),
        ("DYNAMODB_TABLE_NAME", &*table.to_owned().leak()),
        ("AWS_ENDPOINT_URL_DYNAMODB", &*url.to_owned().leak()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    settings.leak()
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // One that has ended is fine.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A store on a table of its own, at this address.
pub async fn new_store_at(url: &str) -> DynamoStore {
    let store = store_at(url, &new_table_name()).await;
    store.create_table().await.expect("a table");
    store
}

/// A store without its table, where something answers at this address, however slowly: the machine may have much else to do.
pub async fn store_at(url: &str, table: &str) -> DynamoStore {
    let patience = Patience {
        call: Duration::from_mins(1),
        attempt: Duration::from_secs(20),
    };
    store_with(url, table, patience).await
}

pub async fn store_with(url: &str, table: &str, patience: Patience) -> DynamoStore {
    DynamoStore::new(&configuration().await, table, Some(url), patience)
}

pub fn new_table_name() -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("table-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

/// As the server has it, with credentials that any emulator takes.
async fn configuration() -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "tests");
    aws::load("ap-northeast-2")
        .await
        .into_builder()
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
