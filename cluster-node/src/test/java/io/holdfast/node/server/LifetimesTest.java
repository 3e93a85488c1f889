package io.holdfast.node.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.chunk.gc.SiteRetentionPlan;
import io.holdfast.chunk.gc.SiteRetentionPlan.Piece;
import io.holdfast.standard.Retention;
import io.holdfast.standard.Site;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What retention lets go at one site, against what the other one was found to hold. */
class LifetimesTest {
    private static final long DAY = 86_400_000_000L;
    private static final long NOW = 1_000 * DAY;

    private final Set<UUID> atDr = new HashSet<>();
    private final List<String> asked = new ArrayList<>();

    private static UUID id(int days) {
        return new UUID(1, days);
    }

    /** Pieces of so many days each, which are DR_PROTECTED. */
    private static List<Piece> pieces(String local, String dr, int... days) {
        List<Piece> pieces = new ArrayList<>();
        for (int day : days) {
            pieces.add(
                    new Piece(
                            id(day),
                            "crit",
                            NOW - day * DAY,
                            Retention.parse(local),
                            Retention.parse(dr),
                            false,
                            false,
                            true,
                            true,
                            Set.of()));
        }
        return pieces;
    }

    private Map<UUID, Set<Site>> expires(List<Piece> pieces) throws InterruptedException {
        SiteRetentionPlan plan =
                Lifetimes.plan(
                        pieces,
                        NOW,
                        true,
                        Site.LOCAL,
                        (site, some) -> {
                            asked.add(
                                    site.word()
                                            + some.stream()
                                                    .map(UUID::getLeastSignificantBits)
                                                    .toList());
                            Set<UUID> held = new HashSet<>(some);
                            held.retainAll(atDr);
                            return held;
                        });
        Map<UUID, Set<Site>> expires = new HashMap<>();
        plan.expiring().forEach(v -> expires.put(v.piece().id(), v.expires()));
        return expires;
    }

    @Test
    void nobodyIsAskedWhereOneRetentionRulesOverBoth() throws Exception {
        assertThat(expires(pieces("last 1", "last 1", 1, 2)))
                .isEqualTo(Map.of(id(2), Set.of(Site.LOCAL, Site.DR)));
        assertThat(asked).isEmpty();
    }

    @Test
    void whatDrKeepsAloneGoesAtLocalOnceDrWasFoundToHoldIt() throws Exception {
        List<Piece> pieces = pieces("P3D", "P30D", 1, 10, 11);
        atDr.add(id(10));
        assertThat(expires(pieces)).isEqualTo(Map.of(id(10), Set.of(Site.LOCAL)));
        assertThat(asked).containsExactly("dr[10, 11]");
    }

    @Test
    void whatIsKeptInThePlaceOfALackingOneIsAskedForToo() throws Exception {
        List<Piece> pieces = pieces("last 1", "last 2", 1, 2, 3, 4);
        atDr.add(id(4));
        assertThat(expires(pieces)).isEqualTo(Map.of(id(4), Set.of(Site.LOCAL)));
        assertThat(asked).containsExactly("dr[2]", "dr[3]", "dr[4]");
        asked.clear();
        atDr.add(id(3));
        assertThat(expires(pieces))
                .isEqualTo(Map.of(id(3), Set.of(Site.LOCAL), id(4), Set.of(Site.LOCAL, Site.DR)));
        assertThat(asked).containsExactly("dr[2]", "dr[3]");
    }
}
