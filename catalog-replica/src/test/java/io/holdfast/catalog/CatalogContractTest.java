package io.holdfast.catalog;

import static io.holdfast.catalog.Rows.CLIENT;
import static io.holdfast.catalog.Rows.FIRST;
import static io.holdfast.catalog.Rows.ORIGIN;
import static io.holdfast.catalog.Rows.OTHER_CLIENT;
import static io.holdfast.catalog.Rows.SECOND;
import static io.holdfast.catalog.Rows.entries;
import static io.holdfast.catalog.Rows.header;
import static io.holdfast.catalog.Rows.ids;
import static io.holdfast.catalog.Rows.piece;
import static io.holdfast.catalog.Rows.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every catalog database must do. */
abstract class CatalogContractTest {
    private CatalogDatabase catalog;
    private final List<CatalogDatabase> others = new ArrayList<>();

    /** A new, empty database, or one that the subclass remembers by number. */
    abstract CatalogDatabaseConfig config(int number) throws Exception;

    @BeforeEach
    void open() throws Exception {
        catalog = CatalogDatabase.open(config(0));
    }

    @AfterEach
    void close() {
        if (catalog != null) {
            catalog.close();
        }
        others.forEach(CatalogDatabase::close);
    }

    private CatalogDatabase other(int number) throws Exception {
        CatalogDatabase other = CatalogDatabase.open(config(number));
        others.add(other);
        return other;
    }

    private CatalogDatabase reopened() throws Exception {
        catalog.close();
        catalog = CatalogDatabase.open(config(0));
        return catalog;
    }

    // ---------------------------------------------------------------- rows

    @Test
    void recordedPieceComesBackWithEveryField() throws Exception {
        CatalogRow row = row(1);
        assertThat(catalog.record(FIRST, row)).isEqualTo(1);
        assertThat(catalog.get(piece(1))).contains(new CatalogPiece(row, Optional.empty()));
        assertThat(catalog.get(piece(2))).isEmpty();
    }

    @Test
    void recordingTheSameAgainAnswersTheFirstSequenceNumber() throws Exception {
        catalog.record(FIRST, row(1));
        catalog.record(FIRST, row(2));
        assertThat(catalog.record(SECOND, row(1))).isEqualTo(1);
        assertThat(catalog.readOutbox(0, 10)).hasSize(2);
        assertThat(catalog.status().maxEpoch()).contains(SECOND);
    }

    @Test
    void samePieceWithAnotherContentIsRefusedAndChangesNothing() throws Exception {
        catalog.record(FIRST, row(1));
        CatalogRow forged = Rows.withOwner(row(1), "eve");
        assertThatThrownBy(() -> catalog.record(FIRST, forged))
                .isInstanceOf(CatalogException.Corrupt.class)
                .hasMessageContaining(piece(1).toString())
                .hasMessageContaining("eve");
        assertThat(catalog.get(piece(1)).orElseThrow().row()).isEqualTo(row(1));
        assertThat(catalog.lastSeq()).isEqualTo(1);
    }

    @Test
    void aCopyIsOfOneMomentAndChangesNothing(
            @org.junit.jupiter.api.io.TempDir java.nio.file.Path folder) throws Exception {
        for (int i = 1; i <= 1203; i++) {
            catalog.record(FIRST, row(i));
        }
        catalog.forget(FIRST, piece(7), "expired");
        CatalogStatus before = catalog.status();
        try (CatalogDatabase copy = catalog.copyTo(folder)) {
            catalog.record(FIRST, row(2000));
            assertThat(copy.incarnation()).isNotEqualTo(catalog.incarnation());
            assertThat(copy.get(piece(1203)))
                    .contains(new CatalogPiece(row(1203), Optional.empty()));
            assertThat(copy.get(piece(7))).isEmpty();
            assertThat(copy.get(piece(2000))).isEmpty();
            assertThat(copy.status().pieces()).isEqualTo(1202);
            assertThat(copy.lastSeq()).isZero();
            copy.record(new io.holdfast.standard.Epoch(9, io.holdfast.standard.Site.DR), row(3000));
        }
        assertThat(catalog.get(piece(3000))).isEmpty();
        assertThat(catalog.status().maxEpoch()).isEqualTo(before.maxEpoch());
        assertThat(catalog.lastSeq()).isEqualTo(before.lastSeq() + 1);
    }

    @Test
    void textsAreComparedByteByByte() throws Exception {
        List<String> sources =
                List.of(
                        "/a",
                        "/a ",
                        "/A",
                        "/ä",
                        "/a\u0308",
                        "/\uD83D\uDE00",
                        "/" + "x".repeat(4000));
        for (int n = 0; n < sources.size(); n++) {
            catalog.record(FIRST, row(n, CLIENT, sources.get(n), "main"));
        }
        for (int n = 0; n < sources.size(); n++) {
            CatalogPage page =
                    catalog.list(
                            CatalogFilter.all().ofDataPiece(sources.get(n)), Optional.empty(), 10);
            assertThat(ids(page.pieces())).containsExactly(piece(n));
            assertThat(page.pieces().getFirst().row().record().dataPiece())
                    .isEqualTo(sources.get(n));
        }
        catalog.record(FIRST, row(50, CLIENT, "/b", "main "));
        assertThat(list(CatalogFilter.all().ofOrigin("main "))).containsExactly(piece(50));
    }

    @Test
    void listsNewestFirstByClientTimeAndSource() throws Exception {
        for (int n = 1; n <= 6; n++) {
            catalog.record(FIRST, row(n, n % 2 == 0 ? CLIENT : OTHER_CLIENT, "/s" + n % 3, "main"));
        }
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(6, 5, 4, 3, 2, 1));
        assertThat(list(CatalogFilter.all().ofClient(CLIENT))).containsExactly(pieces(6, 4, 2));
        assertThat(list(CatalogFilter.all().ofDataPiece("/s1"))).containsExactly(pieces(4, 1));
        assertThat(list(CatalogFilter.all().ofClient(CLIENT).ofDataPiece("/s1")))
                .containsExactly(pieces(4));
        assertThat(
                        list(
                                CatalogFilter.all()
                                        .between(Rows.START + 2_000_000, Rows.START + 5_000_000)))
                .containsExactly(pieces(4, 3, 2));
    }

    @Test
    void pagesAreStableWhilePiecesComeAndGo() throws Exception {
        for (int n = 1; n <= 9; n++) {
            catalog.record(FIRST, row(n));
        }
        CatalogPage first = catalog.list(CatalogFilter.all(), Optional.empty(), 4);
        assertThat(ids(first.pieces())).containsExactly(pieces(9, 8, 7, 6));
        catalog.record(FIRST, row(20));
        catalog.forget(FIRST, piece(6), "expired");
        CatalogPage second = catalog.list(CatalogFilter.all(), first.next(), 4);
        assertThat(ids(second.pieces())).containsExactly(pieces(5, 4, 3, 2));
        CatalogPage last = catalog.list(CatalogFilter.all(), second.next(), 4);
        assertThat(ids(last.pieces())).containsExactly(pieces(1));
        assertThat(last.next()).isEmpty();
    }

    @Test
    void piecesOfOneMicrosecondArePagedById() throws Exception {
        List<UUID> expected = new ArrayList<>();
        for (int n = 1; n <= 5; n++) {
            CatalogRow row = row(n);
            var r = row.record();
            catalog.record(
                    FIRST,
                    new CatalogRow(
                            new io.holdfast.standard.CatalogRecord(
                                    r.piece(),
                                    r.client(),
                                    r.clientName(),
                                    r.dataPiece(),
                                    r.type(),
                                    r.owner(),
                                    r.location(),
                                    Rows.START,
                                    r.expiryMicros(),
                                    r.sizeBytes(),
                                    r.originCatalog(),
                                    r.optional()),
                            row.header()));
            expected.add(0, piece(n));
        }
        List<UUID> found = new ArrayList<>();
        Optional<PageToken> next = Optional.empty();
        do {
            CatalogPage page = catalog.list(CatalogFilter.all(), next, 2);
            found.addAll(ids(page.pieces()));
            next = page.next();
        } while (next.isPresent());
        assertThat(found).isEqualTo(expected);
    }

    // ---------------------------------------------------------------- tombstones

    @Test
    void forgottenPieceIsListedNoMoreAndStillFound() throws Exception {
        catalog.record(FIRST, row(1));
        assertThat(catalog.forget(FIRST, piece(1), "expired")).isEqualTo(2);
        assertThat(catalog.forget(SECOND, piece(1), "again")).isEqualTo(2);
        assertThat(list(CatalogFilter.all())).isEmpty();
        Tombstone tombstone = new Tombstone(piece(1), "expired", FIRST);
        assertThat(catalog.get(piece(1)))
                .contains(new CatalogPiece(row(1), Optional.of(tombstone)));
        assertThat(catalog.list(CatalogFilter.all().withForgotten(), Optional.empty(), 5).pieces())
                .containsExactly(new CatalogPiece(row(1), Optional.of(tombstone)));
        assertThat(catalog.status().pieces()).isZero();
        assertThat(catalog.record(SECOND, row(1))).isEqualTo(1);
        assertThat(list(CatalogFilter.all())).isEmpty();
    }

    @Test
    void forgettingAnUnknownPieceIsNotFound() {
        assertThatThrownBy(() -> catalog.forget(FIRST, piece(1), "expired"))
                .isInstanceOf(CatalogException.NotFound.class);
    }

    @Test
    void tombstoneThatCameBeforeItsRowWins() throws Exception {
        OutboxEntry forgotten =
                new OutboxEntry(
                        1,
                        FIRST,
                        new CatalogChange.Forgotten(new Tombstone(piece(1), "expired", FIRST)));
        catalog.apply(FIRST, ORIGIN, List.of(forgotten), PieceGate.OPEN);
        catalog.apply(FIRST, new UUID(9, 2), entries(1, 1), header -> false);
        assertThat(list(CatalogFilter.all())).isEmpty();
        assertThat(catalog.get(piece(1)).orElseThrow().forgotten()).isPresent();
    }

    // ---------------------------------------------------------------- outbox and epochs

    @Test
    void outboxHasEveryChangeInOrderWithoutGaps() throws Exception {
        catalog.record(FIRST, row(1));
        catalog.record(FIRST, row(2));
        catalog.forget(SECOND, piece(1), "expired");
        assertThat(catalog.readOutbox(0, 10))
                .containsExactly(
                        new OutboxEntry(1, FIRST, new CatalogChange.Recorded(row(1))),
                        new OutboxEntry(2, FIRST, new CatalogChange.Recorded(row(2))),
                        new OutboxEntry(
                                3,
                                SECOND,
                                new CatalogChange.Forgotten(
                                        new Tombstone(piece(1), "expired", SECOND))));
        assertThat(catalog.readOutbox(1, 1)).extracting(OutboxEntry::seq).containsExactly(2L);
        assertThat(catalog.readOutbox(3, 10)).isEmpty();
        assertThat(catalog.readOutbox(Long.MAX_VALUE, 10)).isEmpty();
    }

    @Test
    void concurrentWritersLeaveNoGapAndNoReaderSeesOne() throws Exception {
        int writers = 6;
        int each = 8;
        AtomicBoolean writing = new AtomicBoolean(true);
        AtomicReference<Throwable> gap = new AtomicReference<>();
        try (ExecutorService pool = Executors.newFixedThreadPool(writers + 1)) {
            Future<?> reader =
                    pool.submit(() -> {
                        long after = 0;
                        while (writing.get() || after < (long) writers * each) {
                            try {
                                for (OutboxEntry entry : catalog.readOutbox(after, 7)) {
                                    if (entry.seq() != after + 1) {
                                        throw new IllegalStateException(
                                                after + " then " + entry.seq());
                                    }
                                    after++;
                                }
                            } catch (Exception e) {
                                gap.set(e);
                                return;
                            }
                        }
                    });
            List<Callable<Long>> tasks =
                    IntStream.range(0, writers * each)
                            .mapToObj(n -> (Callable<Long>) () -> catalog.record(FIRST, row(n)))
                            .toList();
            List<Long> seqs = new ArrayList<>();
            for (Future<Long> done : pool.invokeAll(tasks)) {
                seqs.add(done.get());
            }
            writing.set(false);
            reader.get(30, TimeUnit.SECONDS);
            Collections.sort(seqs);
            assertThat(seqs).isEqualTo(LongStream.rangeClosed(1, writers * each).boxed().toList());
        }
        assertThat(gap.get()).isNull();
    }

    @Test
    void lowerEpochIsRefusedByEveryWriteAndLeavesNoTrace() throws Exception {
        catalog.record(SECOND, row(1));
        List<ThrowingWrite> writes =
                List.of(
                        () -> catalog.record(FIRST, row(2)),
                        () -> catalog.record(FIRST, row(1)),
                        () -> catalog.forget(FIRST, piece(1), "expired"),
                        () -> catalog.apply(FIRST, ORIGIN, entries(1, 1), PieceGate.OPEN),
                        () -> catalog.rebuildFrom(FIRST, Stream.of(row(3))));
        for (ThrowingWrite write : writes) {
            assertThatThrownBy(write::run)
                    .isInstanceOfSatisfying(
                            CatalogException.StaleEpoch.class,
                            e -> assertThat(e.maxEpoch()).isEqualTo(SECOND));
        }
        assertThat(catalog.lastSeq()).isEqualTo(1);
        assertThat(list(CatalogFilter.all())).containsExactly(piece(1));
        assertThat(catalog.status().applied()).isEmpty();
    }

    @Test
    void epochAndIncarnationAndSequenceSurviveReopening() throws Exception {
        UUID incarnation = catalog.incarnation();
        catalog.record(SECOND, row(1));
        catalog.apply(SECOND, ORIGIN, entries(5, 5).stream().map(Rows::first).toList(), h -> true);
        CatalogDatabase again = reopened();
        assertThat(again.incarnation()).isEqualTo(incarnation);
        assertThat(again.lastSeq()).isEqualTo(1);
        assertThat(again.status().appliedSeq(ORIGIN)).isEqualTo(1);
        assertThat(again.record(SECOND, row(2))).isEqualTo(2);
        assertThatThrownBy(() -> again.record(FIRST, row(3)))
                .isInstanceOf(CatalogException.StaleEpoch.class);
    }

    @Test
    void twoDatabasesAreTwoIncarnationsInOneProcess() throws Exception {
        CatalogDatabase second = other(1);
        assertThat(second.incarnation()).isNotEqualTo(catalog.incarnation());
        catalog.record(FIRST, row(1));
        assertThat(second.get(piece(1))).isEmpty();
    }

    // ---------------------------------------------------------------- apply

    @Test
    void appliedRowsAreListedAndDoNotEnterTheOutbox() throws Exception {
        assertThat(catalog.apply(FIRST, ORIGIN, entries(1, 3), PieceGate.OPEN)).isEqualTo(3);
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(3, 2, 1));
        assertThat(catalog.get(piece(2)).orElseThrow().row()).isEqualTo(row(2));
        assertThat(catalog.readOutbox(0, 10)).isEmpty();
        assertThat(catalog.status().applied())
                .containsExactly(java.util.Map.entry(ORIGIN, new CatalogStatus.Applied(3, FIRST)));
        assertThat(catalog.record(FIRST, row(2))).isZero();
        assertThat(catalog.lastSeq()).isZero();
    }

    @Test
    void repeatedAndOverlappingBatchesAreAppliedOnce() throws Exception {
        catalog.apply(FIRST, ORIGIN, entries(1, 3), PieceGate.OPEN);
        assertThat(catalog.apply(FIRST, ORIGIN, entries(1, 3), PieceGate.OPEN)).isEqualTo(3);
        assertThat(catalog.apply(FIRST, ORIGIN, entries(2, 5), PieceGate.OPEN)).isEqualTo(5);
        assertThat(catalog.apply(FIRST, ORIGIN, List.of(), PieceGate.OPEN)).isEqualTo(5);
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(5, 4, 3, 2, 1));
    }

    @Test
    void gapIsRefusedAndAppliesNothing() throws Exception {
        catalog.apply(FIRST, ORIGIN, entries(1, 1), PieceGate.OPEN);
        assertThatThrownBy(() -> catalog.apply(FIRST, ORIGIN, entries(3, 4), PieceGate.OPEN))
                .isInstanceOf(CatalogException.Refused.class)
                .hasMessageContaining("starts at 3, applied is 1");
        assertThat(catalog.status().appliedSeq(ORIGIN)).isEqualTo(1);
        assertThat(list(CatalogFilter.all())).containsExactly(piece(1));
    }

    @Test
    void ownOutboxIsRefused() throws Exception {
        catalog.record(FIRST, row(1));
        List<OutboxEntry> own = catalog.readOutbox(0, 10);
        assertThatThrownBy(() -> catalog.apply(FIRST, catalog.incarnation(), own, PieceGate.OPEN))
                .isInstanceOf(CatalogException.Refused.class);
    }

    @Test
    void pieceIsParkedUntilItsBytesAreDurable() throws Exception {
        PieceGate gate = id -> !id.equals(header(3));
        assertThatThrownBy(() -> catalog.apply(FIRST, ORIGIN, entries(1, 4), gate))
                .isInstanceOfSatisfying(
                        CatalogException.Parked.class,
                        e -> {
                            assertThat(e.piece()).isEqualTo(piece(3));
                            assertThat(e.appliedSeq()).isEqualTo(2);
                        })
                .hasMessageContaining(piece(3).toString());
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(2, 1));
        assertThat(catalog.status().appliedSeq(ORIGIN)).isEqualTo(2);
        assertThat(catalog.apply(FIRST, ORIGIN, entries(1, 4), PieceGate.OPEN)).isEqualTo(4);
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(4, 3, 2, 1));
    }

    @Test
    void gateThatCannotBeAskedParksToo() {
        PieceGate broken =
                id -> {
                    throw new IOException("disk gone");
                };
        assertThatThrownBy(() -> catalog.apply(FIRST, ORIGIN, entries(1, 1), broken))
                .isInstanceOf(CatalogException.Parked.class)
                .hasMessageContaining("disk gone");
    }

    @Test
    void appliedContentThatDisagreesIsRefusedAsAWhole() throws Exception {
        catalog.record(FIRST, Rows.withOwner(row(2), "eve"));
        assertThatThrownBy(() -> catalog.apply(FIRST, ORIGIN, entries(1, 3), PieceGate.OPEN))
                .isInstanceOf(CatalogException.Corrupt.class);
        assertThat(list(CatalogFilter.all())).containsExactly(piece(2));
        assertThat(catalog.status().appliedSeq(ORIGIN)).isZero();
    }

    @Test
    void severalOriginsFoldIntoOneCatalogAndKeepTheirNames() throws Exception {
        CatalogDatabase first = other(1);
        CatalogDatabase second = other(2);
        first.record(FIRST, row(1, CLIENT, "/a", "one"));
        second.record(FIRST, row(2, OTHER_CLIENT, "/b", "two"));
        first.record(FIRST, row(3, CLIENT, "/a", "one"));
        ship(first, catalog);
        ship(second, catalog);
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(3, 2, 1));
        assertThat(list(CatalogFilter.all().ofOrigin("one"))).containsExactly(pieces(3, 1));
        assertThat(list(CatalogFilter.all().ofOrigin("two"))).containsExactly(pieces(2));
        assertThat(catalog.status().applied()).hasSize(2);
    }

    @Test
    void whatWasRecordedAtDrGoesHomeAndNothingGoesRoundInCircles() throws Exception {
        CatalogDatabase local = catalog;
        CatalogDatabase dr = other(1);
        local.record(FIRST, row(1));
        ship(local, dr);
        local.record(FIRST, row(2)); // never shipped before the disaster
        dr.record(SECOND, row(3));
        dr.forget(SECOND, piece(1), "deleted by operator");
        ship(local, dr);
        ship(dr, local);
        ship(local, dr);
        for (CatalogDatabase either : List.of(local, dr)) {
            assertThat(ids(either.list(CatalogFilter.all(), Optional.empty(), 10).pieces()))
                    .containsExactly(pieces(3, 2));
        }
        assertThat(local.lastSeq()).isEqualTo(2);
        assertThat(dr.lastSeq()).isEqualTo(2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"locked", "written", "committed"})
    void processKilledWhileApplyingIsReplayedSafely(String step) throws Exception {
        catalog.apply(FIRST, ORIGIN, entries(1, 2), PieceGate.OPEN);
        catalog.close();
        KilledWriter.run(config(0), step, 2, 5);
        catalog = CatalogDatabase.open(config(0));
        long applied = catalog.status().appliedSeq(ORIGIN);
        if (step.equals("committed")) {
            assertThat(applied).isEqualTo(5);
        } else {
            assertThat(applied).isEqualTo(2);
        }
        // Rows and cursor agree, whatever the moment.
        assertThat(list(CatalogFilter.all())).hasSize((int) applied);
        assertThat(catalog.apply(FIRST, ORIGIN, entries(1, 6), PieceGate.OPEN)).isEqualTo(6);
        assertThat(list(CatalogFilter.all())).containsExactly(pieces(6, 5, 4, 3, 2, 1));
        assertThat(catalog.record(FIRST, row(10))).isEqualTo(1);
    }

    // ---------------------------------------------------------------- rebuild

    @Test
    void catalogIsRebuiltFromPieceHeadersAndYieldsToTheRealRow() throws Exception {
        CatalogRow bare = Rows.withOwner(row(1), "from the header");
        assertThat(catalog.rebuildFrom(SECOND, Stream.of(bare, row(2)))).isEqualTo(2);
        assertThat(catalog.rebuildFrom(SECOND, Stream.of(bare, row(2)))).isZero();
        assertThat(catalog.get(piece(1)).orElseThrow().row()).isEqualTo(bare);
        // The other site knows the rows as they were recorded.
        catalog.apply(SECOND, ORIGIN, entries(1, 2), header -> false);
        assertThat(catalog.get(piece(1)).orElseThrow().row()).isEqualTo(row(1));
        // And a receiver of this outbox keeps what it knows.
        CatalogDatabase dr = other(1);
        dr.record(SECOND, row(1));
        ship(catalog, dr);
        assertThat(dr.get(piece(1)).orElseThrow().row()).isEqualTo(row(1));
        assertThat(dr.get(piece(2))).isPresent();
    }

    @Test
    void rebuiltRowOfAnotherFrameIsCorrupt() throws Exception {
        catalog.record(FIRST, row(1));
        CatalogRow other = new CatalogRow(row(1).record(), header(99));
        assertThatThrownBy(() -> catalog.rebuildFrom(FIRST, Stream.of(other)))
                .isInstanceOf(CatalogException.Corrupt.class);
    }

    @Test
    void rebuildsManyInBatches() throws Exception {
        assertThat(catalog.rebuildFrom(FIRST, IntStream.range(0, 1203).mapToObj(Rows::row)))
                .isEqualTo(1203);
        assertThat(catalog.lastSeq()).isEqualTo(1203);
        assertThat(catalog.status().pieces()).isEqualTo(1203);
    }

    @Test
    void limitsAreStated() {
        assertThatThrownBy(() -> catalog.readOutbox(0, 1001))
                .isInstanceOf(CatalogException.Refused.class)
                .hasMessageContaining("1001");
        assertThatThrownBy(() -> catalog.list(CatalogFilter.all(), Optional.empty(), 0))
                .isInstanceOf(CatalogException.Refused.class);
    }

    private interface ThrowingWrite {
        void run() throws Exception;
    }

    private static void ship(CatalogDatabase from, CatalogDatabase to) throws Exception {
        long applied = to.status().appliedSeq(from.incarnation());
        to.apply(SECOND, from.incarnation(), from.readOutbox(applied, 100), PieceGate.OPEN);
    }

    private List<UUID> list(CatalogFilter filter) throws Exception {
        return ids(catalog.list(filter, Optional.empty(), 100).pieces());
    }

    private static UUID[] pieces(int... numbers) {
        return IntStream.of(numbers).mapToObj(Rows::piece).toArray(UUID[]::new);
    }
}
