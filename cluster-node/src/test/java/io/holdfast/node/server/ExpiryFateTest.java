package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.holdfast.replication.state.Expiry;
import io.holdfast.standard.Site;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class ExpiryFateTest {
    private static final ExpiryFate.Known ALL = new ExpiryFate.Known(true, true, true, false);

    private static Expiry expiry(Optional<Site> onlyAt) {
        return new Expiry(
                new UUID(1, 1),
                TestCluster.chunkId(1),
                new UUID(2, 2),
                Optional.empty(),
                5,
                "retention",
                "old",
                onlyAt);
    }

    private static ExpiryFate atLocal(Optional<Site> onlyAt, ExpiryFate.Known known) {
        return ExpiryFate.of(expiry(onlyAt), Site.LOCAL, known);
    }

    @Test
    void whatExpiredEverywhereGoesWithItsTombstone() {
        assertThat(atLocal(Optional.empty(), ALL)).isEqualTo(new ExpiryFate(false, "expired"));
        assertThat(atLocal(Optional.empty(), new ExpiryFate.Known(true, true, false, true)).stays())
                .isFalse();
        assertThat(atLocal(Optional.empty(), new ExpiryFate.Known(true, false, true, false)))
                .matches(ExpiryFate::stays)
                .extracting(ExpiryFate::kind)
                .asString()
                .contains("tombstone");
    }

    @Test
    void nothingGoesThatAForcedMoveCouldBringBack() {
        for (Optional<Site> onlyAt :
                java.util.List.of(Optional.<Site>empty(), Optional.of(Site.LOCAL))) {
            assertThat(atLocal(onlyAt, new ExpiryFate.Known(false, true, true, false)))
                    .matches(ExpiryFate::stays)
                    .extracting(ExpiryFate::kind)
                    .asString()
                    .contains("not acknowledged");
        }
    }

    @Test
    void whatTheOtherSiteKeepsGoesOnlyWhileThatOneHasIt() {
        Optional<Site> local = Optional.of(Site.LOCAL);
        assertThat(atLocal(local, new ExpiryFate.Known(true, false, true, false)))
                .isEqualTo(new ExpiryFate(false, "expired at this site; site dr keeps it"));
        assertThat(atLocal(local, new ExpiryFate.Known(true, false, false, false)))
                .matches(ExpiryFate::stays)
                .extracting(ExpiryFate::kind)
                .asString()
                .contains("the store of site dr was not seen to hold it");
        assertThat(atLocal(local, new ExpiryFate.Known(true, false, true, true)))
                .matches(ExpiryFate::stays)
                .extracting(ExpiryFate::kind)
                .asString()
                .contains("legal hold");
    }

    @Test
    void theSiteThatKeepsItIsNotAsked() {
        assertThatThrownBy(() -> ExpiryFate.of(expiry(Optional.of(Site.LOCAL)), Site.DR, ALL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("has not expired at dr");
    }
}
