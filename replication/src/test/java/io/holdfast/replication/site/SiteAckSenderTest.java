package io.holdfast.replication.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.Entry;
import io.holdfast.standard.Epoch;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SiteAckSenderTest {
    private static final Epoch E1 = Epoch.parse("1.local");

    /** The first call ends while it is being started; what the second one is told counts down. */
    private static final class RefusingOnce extends Channel {
        final CountDownLatch heard = new CountDownLatch(1);
        private final AtomicInteger calls = new AtomicInteger();
        private final boolean elsewhere;

        RefusingOnce(boolean elsewhere) {
            this.elsewhere = elsewhere;
        }

        @Override
        public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
            boolean refused = calls.incrementAndGet() == 1;
            return new ClientCall<>() {
                @Override
                public void start(Listener<A> listener, Metadata headers) {
                    if (refused) {
                        end(() -> listener.onClose(Status.UNAVAILABLE, new Metadata()));
                    }
                }

                @Override
                public void request(int messages) {}

                @Override
                public void cancel(@Nullable String message, @Nullable Throwable cause) {}

                @Override
                public void halfClose() {}

                @Override
                public void sendMessage(Q message) {
                    if (!refused) {
                        heard.countDown();
                    }
                }
            };
        }

        private void end(Runnable told) {
            if (!elsewhere) {
                told.run();
                return;
            }
            Thread teller = Thread.ofPlatform().daemon().start(told);
            while (teller.isAlive() && teller.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        }

        @Override
        public String authority() {
            return "leader";
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aStreamThatEndsWhileItIsOpenedIsReplaced(boolean elsewhere) throws Exception {
        RefusingOnce leader = new RefusingOnce(elsewhere);
        UUID lineage = UUID.randomUUID();
        ClusterState state =
                ClusterState.empty()
                        .apply(
                                new Entry(
                                        UUID.randomUUID(),
                                        E1,
                                        1,
                                        Command.EpochChange.first(E1, lineage, "init")),
                                1)
                        .state();
        assertThat(state.epoch()).isEqualTo(E1);
        try (SiteAckSender sender =
                new SiteAckSender("d1", UUID.randomUUID(), E1, _ -> Optional.of(leader), _ -> {})) {
            sender.applied(lineage, 1, 5, state);
            assertThat(leader.heard.await(60, TimeUnit.SECONDS)).isTrue();
        }
    }
}
