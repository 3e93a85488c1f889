package io.holdfast.replication.site;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.replication.proto.site.v1.DescribeReply;
import io.holdfast.replication.ship.ShipReport;
import io.holdfast.replication.ship.ShipStatus;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SiteMessagesTest {
    private static final ShipReport SHIPPING =
            new ShipReport(
                    new ShipStatus.CatchUp(false, 7, 700, 3, 300), List.of("chunk a is damaged"));

    private static SiteDescription description(ShipReport shipping) {
        return new SiteDescription(
                "d1",
                UUID.randomUUID(),
                Site.DR,
                "ACTIVE",
                Optional.of(new Epoch(2, Site.DR)),
                Optional.empty(),
                true,
                Optional.of(UUID.randomUUID()),
                5,
                2,
                6,
                1_000,
                true,
                "ASYNC",
                900,
                "1.0",
                shipping);
    }

    @Test
    void aDescriptionComesBackAsItWasSent() {
        for (ShipReport shipping : List.of(SHIPPING, ShipReport.NONE)) {
            SiteDescription sent = description(shipping);
            assertThat(SiteMessages.of(SiteMessages.toProto(sent))).isEqualTo(sent);
        }
    }

    /** A node that has not been updated says nothing of its store. */
    @Test
    void whoSaysNothingOfAStoreHasNothingToCatchUp() {
        DescribeReply old =
                SiteMessages.toProto(description(SHIPPING)).toBuilder()
                        .clearCatchUp()
                        .clearDamage()
                        .build();
        assertThat(SiteMessages.of(old).shipping()).isEqualTo(ShipReport.NONE);
    }

    /** A site's stores may be at several nodes, and a store may be damaged from end to end. */
    @Test
    void reportsOfASiteAddUpAndStaySmall() {
        ShipReport twice = SHIPPING.plus(SHIPPING);
        assertThat(twice.catchUp()).isEqualTo(new ShipStatus.CatchUp(false, 14, 1400, 6, 600));
        assertThat(twice.damage()).hasSize(2);
        assertThat(ShipReport.NONE.plus(SHIPPING)).isEqualTo(SHIPPING);
        List<String> all = IntStream.range(0, 1_000).mapToObj(i -> "chunk " + i).toList();
        assertThat(new ShipReport(ShipStatus.CatchUp.NONE, all).damage())
                .hasSize(ShipReport.MAX_DAMAGE);
    }
}
