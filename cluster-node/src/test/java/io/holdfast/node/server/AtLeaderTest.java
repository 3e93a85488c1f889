package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.NodeApi;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class AtLeaderTest {
    private static final NodeApi OTHER =
            (NodeApi)
                    Proxy.newProxyInstance(
                            NodeApi.class.getClassLoader(),
                            new Class<?>[] {NodeApi.class},
                            (proxy, method, args) -> {
                                throw new AssertionError(method.getName());
                            });

    /** A site whose leader is known from the n-th look on; 0 for never. */
    private static final class FakeLeadership implements AtLeader.Site {
        int servesFrom;
        int leaderFrom;
        boolean soon = true;
        int looks;

        @Override
        public boolean serves() {
            looks++;
            return servesFrom > 0 && looks >= servesFrom;
        }

        @Override
        public Optional<NodeApi> leader() {
            return leaderFrom > 0 && looks >= leaderFrom ? Optional.of(OTHER) : Optional.empty();
        }

        @Override
        public boolean mayHaveOneSoon() {
            return soon;
        }

        @Override
        public ApiException cannotServe() {
            return new ApiException(ApiException.Kind.UNAVAILABLE, "no leader", "wait");
        }
    }

    private final FakeLeadership site = new FakeLeadership();

    private String write(Duration patience) {
        return new AtLeader(site, patience)
                .write(api -> api == OTHER ? "there" : "elsewhere", () -> "here");
    }

    @Test
    void servesHereOrSendsItOnAtOnce() {
        site.servesFrom = 1;
        assertThat(write(Duration.ZERO)).isEqualTo("here");
        site.servesFrom = 0;
        site.leaderFrom = 1;
        assertThat(write(Duration.ZERO)).isEqualTo("there");
        assertThat(site.looks).isEqualTo(2);
    }

    @Test
    void waitsForALeaderThatIsBeingElected() {
        site.leaderFrom = 3;
        assertThat(write(Duration.ofMinutes(1))).isEqualTo("there");
        assertThat(site.looks).isEqualTo(3);
    }

    @Test
    void waitsForThisNodeToLead() {
        site.servesFrom = 3;
        assertThat(write(Duration.ofMinutes(1))).isEqualTo("here");
    }

    @Test
    void refusesAtOnceWhereNoneIsToBeExpected() {
        site.soon = false;
        assertThatThrownBy(() -> write(Duration.ofMinutes(1))).hasMessageContaining("no leader");
        assertThat(site.looks).isEqualTo(1);
    }

    @Test
    void refusesWhenItsPatienceIsOver() {
        assertThatThrownBy(() -> write(Duration.ofMillis(60))).isInstanceOf(ApiException.class);
        assertThat(site.looks).isGreaterThan(1);
    }

    @Test
    void anInterruptedWaitIsARefusal() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> write(Duration.ofMinutes(1))).isInstanceOf(ApiException.class);
        assertThat(Thread.interrupted()).isTrue();
    }
}
