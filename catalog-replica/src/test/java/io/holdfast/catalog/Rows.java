package io.holdfast.catalog;

import io.holdfast.chunk.ChunkId;
import io.holdfast.standard.CatalogRecord;
import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Rows of the worked example. */
final class Rows {
    static final Epoch FIRST = new Epoch(1, Site.LOCAL);
    static final Epoch SECOND = new Epoch(2, Site.DR);
    static final Epoch THIRD = new Epoch(3, Site.LOCAL);
    static final UUID CLIENT = new UUID(7, 1);
    static final UUID OTHER_CLIENT = new UUID(7, 2);
    static final UUID ORIGIN = new UUID(9, 1);
    static final long START = 1_790_000_000_000_000L;

    private Rows() {}

    static UUID piece(int n) {
        return new UUID(0x0192_0000_0000_7000L + n, 0x8000_0000_0000_0000L + n);
    }

    static ChunkId header(int n) {
        return ChunkId.of(ByteBuffer.allocate(32).putInt(28, n).array());
    }

    static CatalogRow row(int n) {
        return row(n, CLIENT, "/srv/data", "main");
    }

    static CatalogRow row(int n, UUID client, String dataPiece, String origin) {
        return new CatalogRow(
                new CatalogRecord(
                        piece(n),
                        client,
                        "crit",
                        dataPiece,
                        "files/full",
                        "ada",
                        "127.10.11.44:6543?WRITE:IP:127.10.11.45,dedupe,catalog:main?/mtree/backup/"
                                + client,
                        START + n * 1_000_000L,
                        Long.MAX_VALUE,
                        4096L * n,
                        origin,
                        Map.of("job", "job-" + n, "root", "00ff", "odd key ", "ü \uD83D\uDE00")),
                header(n));
    }

    static CatalogRow withOwner(CatalogRow row, String owner) {
        CatalogRecord r = row.record();
        return new CatalogRow(
                new CatalogRecord(
                        r.piece(),
                        r.client(),
                        r.clientName(),
                        r.dataPiece(),
                        r.type(),
                        owner,
                        r.location(),
                        r.backupTimeMicros(),
                        r.expiryMicros(),
                        r.sizeBytes(),
                        r.originCatalog(),
                        r.optional()),
                row.header());
    }

    /** Entries {@code from..to} that record pieces of the same numbers. */
    static List<OutboxEntry> entries(int from, int to) {
        List<OutboxEntry> entries = new ArrayList<>();
        for (int n = from; n <= to; n++) {
            entries.add(new OutboxEntry(n, FIRST, new CatalogChange.Recorded(row(n))));
        }
        return entries;
    }

    /** The same change as the first of its origin. */
    static OutboxEntry first(OutboxEntry entry) {
        return new OutboxEntry(1, entry.epoch(), entry.change());
    }

    static List<UUID> ids(List<CatalogPiece> pieces) {
        return pieces.stream().map(p -> p.row().piece()).toList();
    }
}
