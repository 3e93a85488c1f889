package io.holdfast.agent.tls;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.holdfast.agent.proto.v1.DescribeReply;
import io.holdfast.agent.proto.v1.DescribeRequest;
import io.holdfast.agent.proto.v1.ErrorDetail;
import io.holdfast.agent.proto.v1.MediaAgentGrpc;
import io.holdfast.agent.proto.v1.QueryReply;
import io.holdfast.agent.proto.v1.QueryRequest;
import io.holdfast.agent.proto.v1.StorageGrpc;
import io.holdfast.agent.proto.v1.StoreStatusReply;
import io.holdfast.agent.proto.v1.StoreStatusRequest;
import io.holdfast.agent.wire.Errors;
import io.holdfast.agent.wire.RemoteException;
import io.holdfast.standard.Endpoint;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GrpcTlsTest {
    private final TestPki pki = new TestPki();
    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable closeable : open.reversed()) {
            closeable.close();
        }
    }

    /** Says who called. */
    private static final class Who extends MediaAgentGrpc.MediaAgentImplBase {
        @Override
        public void describe(DescribeRequest request, StreamObserver<DescribeReply> replies) {
            PeerIdentity peer = PeerIdentity.current();
            replies.onNext(
                    DescribeReply.newBuilder().setRole(peer.role()).setId(peer.id()).build());
            replies.onCompleted();
        }

        @Override
        public void query(QueryRequest request, StreamObserver<QueryReply> replies) {
            // never answers
        }
    }

    private GrpcServerHost serve(TlsMaterial tls) throws Exception {
        GrpcServerHost host =
                GrpcServerHost.builder(tls)
                        .listen(new InetSocketAddress("127.0.0.1", 0))
                        .service(new Who(), Set.of(PeerIdentity.NODE, PeerIdentity.AGENT))
                        .service(new StorageGrpc.StorageImplBase() {}, Set.of(PeerIdentity.NODE))
                        .start();
        open.add(host);
        return host;
    }

    private ManagedChannel dial(GrpcServerHost host, TlsMaterial tls, String... roles) {
        ManagedChannel channel =
                GrpcTls.channel(Endpoint.of("127.0.0.1", host.port()), tls, Set.of(roles));
        open.add(channel::shutdownNow);
        return channel;
    }

    private static DescribeReply describe(ManagedChannel channel) throws RemoteException {
        try {
            return MediaAgentGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .describe(DescribeRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    private static RemoteException.Refused refused(ManagedChannel channel) {
        return refused(channel, ErrorDetail.Code.UNAUTHORIZED);
    }

    private static RemoteException.Refused refused(ManagedChannel channel, ErrorDetail.Code code) {
        Throwable thrown = catchThrowable(() -> describe(channel));
        assertThat(thrown).isInstanceOf(RemoteException.Refused.class);
        RemoteException.Refused refused = (RemoteException.Refused) thrown;
        assertThat(refused.code()).isEqualTo(code);
        return refused;
    }

    @Test
    void peersOfOneClusterKnowEachOther() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        DescribeReply reply =
                describe(dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE));
        assertThat(reply.getRole()).isEqualTo("node");
        assertThat(reply.getId()).isEqualTo("l1");
    }

    @Test
    void bothSitesTrustEachOthersIssuingAuthority() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        var dr = pki.root.createIssuing("dr", Duration.ofDays(100));
        TlsMaterial drNode =
                TlsMaterial.of(
                        dr.enrol(
                                PeerIdentity.NODE, "d1", Duration.ofDays(60), List.of("127.0.0.1")),
                        java.time.InstantSource.system());
        assertThat(describe(dial(host, drNode, PeerIdentity.STORAGE)).getId()).isEqualTo("d1");
    }

    @Test
    void foreignClientIsRefused() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        TlsMaterial intruder = new TestPki(pki.cluster).intruder(pki, PeerIdentity.NODE, "x");
        assertThat(refused(dial(host, intruder, PeerIdentity.STORAGE)))
                .hasMessageContaining("certificate");
    }

    @Test
    void foreignServerIsRefused() throws Exception {
        TestPki other = new TestPki();
        GrpcServerHost host = serve(other.intruder(pki, PeerIdentity.STORAGE, "x"));
        assertThat(refused(dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE)))
                .hasMessageContaining("was not issued by cluster " + pki.cluster);
    }

    @Test
    void certificateThatNamesAnotherClusterUnderTheSameRootIsRefused() throws Exception {
        // A root that signs for another cluster cannot be made by init; the check stands all the
        // same.
        PeerIdentity other = new PeerIdentity(UUID.randomUUID(), PeerIdentity.NODE, "l1");
        PeerVerifier verifier = new PeerVerifier(pki.root.root(), other.cluster());
        assertThatThrownBy(() ->
                        verifier.verify(pki.member(PeerIdentity.NODE, "l1").chain(), Instant.now()))
                .hasMessageContaining(other.cluster().toString());
    }

    @Test
    void expiredClientIsToldWhoAndWhen() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        Instant ended =
                Instant.now().minusSeconds(3600).truncatedTo(java.time.temporal.ChronoUnit.SECONDS);
        TlsMaterial expired =
                pki.valid(PeerIdentity.AGENT, "client-7", ended.minusSeconds(9000), ended);
        assertThat(refused(dial(host, expired, PeerIdentity.STORAGE)))
                .hasMessageContaining("/agent/client-7")
                .hasMessageContaining("expired at " + ended);
    }

    @Test
    void expiredServerIsNamed() throws Exception {
        Instant ended =
                Instant.now().minusSeconds(3600).truncatedTo(java.time.temporal.ChronoUnit.SECONDS);
        GrpcServerHost host =
                serve(pki.valid(PeerIdentity.STORAGE, "s9", ended.minusSeconds(9000), ended));
        assertThat(refused(dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE)))
                .hasMessageContaining("/storage/s9")
                .hasMessageContaining("expired at " + ended);
    }

    @Test
    void certificateOfTomorrowIsRefused() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        Instant begins = Instant.now().plusSeconds(86_400);
        TlsMaterial early = pki.valid(PeerIdentity.NODE, "l1", begins, begins.plusSeconds(60));
        assertThat(refused(dial(host, early, PeerIdentity.STORAGE)))
                .hasMessageContaining("is valid from");
    }

    @Test
    void unfitRolesAreRefusedOnBothEnds() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        assertThat(
                        refused(
                                dial(
                                        host,
                                        pki.member(PeerIdentity.REHEARSAL, "r"),
                                        PeerIdentity.STORAGE),
                                ErrorDetail.Code.REHEARSAL))
                .hasMessageContaining("/rehearsal/r")
                .hasMessageContaining("MediaAgent");
        assertThat(refused(dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.AGENT)))
                .hasMessageContaining("its role is storage");
    }

    @Test
    void rolesAreOfTheServiceNotOfThePort() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.NODE, "l1"));
        ManagedChannel channel =
                dial(host, pki.member(PeerIdentity.AGENT, "c1"), PeerIdentity.NODE);
        assertThat(describe(channel).getId()).isEqualTo("c1");
        assertThatThrownBy(() -> status(channel))
                .isInstanceOf(RemoteException.Refused.class)
                .hasMessageContaining("Storage");
    }

    @Test
    void unbuiltCallIsWrongVersion() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        ManagedChannel channel =
                dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE);
        assertThatThrownBy(() -> status(channel))
                .isInstanceOfSatisfying(
                        RemoteException.Refused.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorDetail.Code.WRONG_VERSION));
    }

    private static StoreStatusReply status(ManagedChannel channel) throws RemoteException {
        try {
            return ClientCalls.blockingUnaryCall(
                    channel,
                    StorageGrpc.getStoreStatusMethod(),
                    CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS),
                    StoreStatusRequest.getDefaultInstance());
        } catch (StatusRuntimeException e) {
            throw Errors.of(e);
        }
    }

    @Test
    void nobodyThereIsUnavailableAndComesBackByItself() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        int port = host.port();
        ManagedChannel channel =
                dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE);
        assertThat(describe(channel).getId()).isEqualTo("l1");
        host.abort();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        Throwable thrown = null;
        while (!(thrown instanceof RemoteException.Unavailable) && System.nanoTime() < deadline) {
            thrown = catchThrowable(() -> describe(channel));
        }
        assertThat(thrown).isInstanceOf(RemoteException.Unavailable.class);

        GrpcServerHost again =
                GrpcServerHost.builder(pki.member(PeerIdentity.STORAGE, "s1"))
                        .listen(new InetSocketAddress("127.0.0.1", port))
                        .service(new Who())
                        .start();
        open.add(again);
        DescribeReply reply = null;
        while (reply == null && System.nanoTime() < deadline) {
            try {
                reply = describe(channel);
            } catch (RemoteException.Unavailable e) {
                Thread.sleep(20);
            }
        }
        assertThat(reply).isNotNull();
    }

    @Test
    void silenceAfterTheRequestIsUnknown() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        open.add(host::abort);
        ManagedChannel channel =
                dial(host, pki.member(PeerIdentity.NODE, "l1"), PeerIdentity.STORAGE);
        assertThat(describe(channel).getId()).isEqualTo("l1");
        assertThatThrownBy(
                        () -> {
                            try {
                                MediaAgentGrpc.newBlockingStub(channel)
                                        .withDeadlineAfter(1, TimeUnit.SECONDS)
                                        .query(QueryRequest.getDefaultInstance());
                            } catch (StatusRuntimeException e) {
                                throw Errors.of(e);
                            }
                        })
                .isInstanceOf(RemoteException.Unknown.class);
    }

    @Test
    void takenPortIsSaid() throws Exception {
        GrpcServerHost host = serve(pki.member(PeerIdentity.STORAGE, "s1"));
        assertThatThrownBy(() ->
                        GrpcServerHost.builder(pki.member(PeerIdentity.STORAGE, "s1"))
                                .listen(new InetSocketAddress("127.0.0.1", host.port()))
                                .service(new Who())
                                .start())
                .isInstanceOf(java.io.IOException.class)
                .hasMessageContaining(Integer.toString(host.port()))
                .hasMessageContaining("Free the port");
    }

    @Test
    void cacheGivesOneChannelForEachEndpointAndRoles() {
        try (ChannelCache cache = new ChannelCache(pki.member(PeerIdentity.NODE, "l1"))) {
            Endpoint endpoint = Endpoint.of("127.0.0.1", 9);
            ManagedChannel channel = cache.channel(endpoint, Set.of(PeerIdentity.STORAGE));
            assertThat(cache.channel(endpoint, Set.of(PeerIdentity.STORAGE))).isSameAs(channel);
            assertThat(cache.channel(endpoint, Set.of(PeerIdentity.AGENT))).isNotSameAs(channel);
            cache.forget(endpoint);
            assertThat(channel.isShutdown()).isTrue();
        }
    }
}
