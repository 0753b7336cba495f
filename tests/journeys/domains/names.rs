//! A server of names whose records a story sets: it answers what it is asked over UDP, as the resolver of an operator would.

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, TXT};
use hickory_proto::rr::{Name, RData, Record};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// What each name has, by its name in lower case with a final dot.
type Zone = Arc<Mutex<BTreeMap<String, Vec<RData>>>>;

pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    zone: Zone,
    serving: JoinHandle<()>,
}

impl Names {
    pub(crate) async fn start() -> Self {
        let (socket, zone) = (UdpSocket::bind("127.0.0.1:0").await.unwrap(), Zone::default());
        let address = socket.local_addr().unwrap();
        let serving = tokio::spawn(serve(socket, Arc::clone(&zone)));
        Self { address, zone, serving }
    }

    pub(crate) fn set(&self, kind: &str, name: &str, value: &str) {
        let record = match kind {
            "TXT" => RData::TXT(TXT::new(vec![value.to_owned()])),
            "CNAME" => RData::CNAME(CNAME(Name::from_ascii(format!("{value}.")).unwrap())),
            kind => {
                assert_eq!(kind, "A", "no story sets another kind of record");
                RData::A(A(value.parse().unwrap()))
            }
        };
        self.zone.lock().unwrap().entry(format!("{name}.")).or_default().push(record);
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(socket: UdpSocket, zone: Zone) {
    let mut buffer = [0; 4096];
    loop {
        let (length, peer) = socket.recv_from(&mut buffer).await.unwrap();
        let Ok(asked) = Message::from_vec(&buffer[..length]) else { continue };
        let answer = answer(&asked, &zone).to_vec().unwrap();
        socket.send_to(&answer, peer).await.unwrap();
    }
}

/// A name that has another leads there whatever is asked of it, as the protocol has it.
fn answer(asked: &Message, zone: &Zone) -> Message {
    let mut answer = Message::response(asked.metadata.id, OpCode::Query);
    answer.metadata.recursion_available = true;
    let Some(query) = asked.queries.first() else { return answer };
    answer.add_query(query.clone());
    let zone = zone.lock().unwrap();
    let Some(records) = zone.get(&query.name().to_ascii().to_ascii_lowercase()) else {
        answer.metadata.response_code = ResponseCode::NXDomain;
        return answer;
    };
    for record in records {
        if record.record_type() == query.query_type() || matches!(record, RData::CNAME(_)) {
            answer.add_answer(Record::from_rdata(query.name().clone(), 1, record.clone()));
        }
        let RData::CNAME(CNAME(to)) = record else { continue };
        for led in zone.get(&to.to_ascii()).into_iter().flatten().filter(|led| led.record_type() == query.query_type())
        {
            answer.add_answer(Record::from_rdata(to.clone(), 1, led.clone()));
        }
    }
    answer
}
