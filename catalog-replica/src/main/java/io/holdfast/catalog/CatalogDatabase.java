package io.holdfast.catalog;

import io.holdfast.standard.Epoch;
import io.holdfast.standard.Site;
import io.micronaut.context.ApplicationContext;
import io.micronaut.transaction.SynchronousTransactionManager;
import io.micronaut.transaction.TransactionDefinition;
import io.micronaut.transaction.support.DefaultTransactionDefinition;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One catalog database: the pieces, the outbox of what was first recorded here, and the cursors of
 * what was applied from elsewhere. Thread-safe; one process at a time. Several may be open in a
 * JVM, each with its own application context.
 *
 * <p><b>Writes have one order.</b> Every write begins by updating the one row of table {@code fence},
 * which locks it until the commit: sequence numbers are taken and committed under that lock, so the
 * outbox has no gaps and an entry never becomes visible before an earlier one. The same row holds the
 * highest epoch obeyed; a lower one is refused and a higher one raises it, in the same transaction.
 *
 * <p><b>Acknowledged means fsynced.</b> A method that writes returns after the commit is on disk.
 * Both databases do that themselves; {@link Durability} checks when opening that they are set to. What
 * is not known to be durable is not given out by {@link #readOutbox}: the other site must never know
 * a change that this one can still lose, because its sequence number would be used again.
 *
 * <p>Every write is idempotent by piece id, so an unknown outcome is answered by repeating it.
 */
public final class CatalogDatabase implements AutoCloseable {
    /** Most entries of a batch, rows of a page. */
    public static final int MAX_BATCH = 1000;

    /** What a write passes through, in order: its lock is taken, its rows are there, they are durable. */
    public static final List<String> STEPS = List.of("locked", "written", "committed");

    private static final int REBUILD_BATCH = 500;
    private static final long NO_EPOCH = -1;

    private final ApplicationContext context;
    private final Seams seams;
    private final DatabaseLock lock;
    private final String product;
    private final boolean mariaDb;
    private final SynchronousTransactionManager<Connection> transactions;
    private final PieceRepository pieces;
    private final OptionalFieldRepository fields;
    private final TombstoneRepository tombstones;
    private final OutboxRepository outbox;
    private final AppliedRepository applied;
    private final FenceRepository fence;
    private final UUID database;
    private final AtomicLong durableSeq = new AtomicLong();
    private volatile Consumer<String> broken = why -> {};

    /**
     * Where tests reach in.
     *
     * @param settings further settings of an embedded database, each {@code &name=value}
     * @param step told the name of each step of a write, on the writer's thread
     * @param applying told the same of an apply that has entries to apply, and of nothing else
     */
    record Seams(String settings, Consumer<String> step, Consumer<String> applying) {
        static final Seams NONE = new Seams("", step -> {});

        Seams(String settings, Consumer<String> step) {
            this(settings, step, applying -> {});
        }
    }

    private CatalogDatabase(
            CatalogDatabaseConfig config,
            ApplicationContext context,
            DatabaseLock lock,
            String product,
            Seams seams) {
        this.context = context;
        this.seams = seams;
        this.lock = lock;
        this.product = product;
        this.mariaDb = config.isMariaDb();
        this.transactions = CatalogContext.transactions(context);
        this.pieces = context.getBean(PieceRepository.class);
        this.fields = context.getBean(OptionalFieldRepository.class);
        this.tombstones = context.getBean(TombstoneRepository.class);
        this.outbox = context.getBean(OutboxRepository.class);
        this.applied = context.getBean(AppliedRepository.class);
        this.fence = context.getBean(FenceRepository.class);
        FenceEntity row =
                transactions.executeWrite(status -> {
                    if (fence.lock() == 0) {
                        fence.save(
                                new FenceEntity(
                                        FenceEntity.ID,
                                        UUID.randomUUID().toString(),
                                        NO_EPOCH,
                                        0,
                                        1));
                    }
                    return fence.findById(FenceEntity.ID).orElseThrow();
                });
        this.database = UUID.fromString(row.databaseId());
        this.durableSeq.set(row.lastSeq());
    }

    /**
     * Opens a database, and makes its tables when they are not there.
     *
     * @throws IOException when it cannot be reached or opened, is not durable as configured, or was
     *     made by a later version
     */
    public static CatalogDatabase open(CatalogDatabaseConfig config) throws IOException {
        return open(config, Seams.NONE);
    }

    /**
     * The same, for a server that shall die on the way.
     *
     * @param applying told the name of each of the {@link #STEPS} of every apply that has entries to
     *     apply, on the thread that applies
     */
    public static CatalogDatabase open(CatalogDatabaseConfig config, Consumer<String> applying)
            throws IOException {
        return open(config, new Seams("", step -> {}, applying));
    }

    /** The same, with what a test of bad days puts in between. */
    static CatalogDatabase open(CatalogDatabaseConfig config, Seams seams) throws IOException {
        DatabaseLock lock = DatabaseLock.take(config);
        ApplicationContext context = null;
        try {
            context = CatalogContext.start(config, seams.settings());
            String product = Durability.check(config, CatalogContext.dataSource(context));
            return new CatalogDatabase(config, context, lock, product, seams);
        } catch (RuntimeException | IOException e) {
            if (context != null) {
                context.close();
            }
            lock.close();
            if (e instanceof IOException io) {
                throw io;
            }
            throw new IOException("Could not open " + config + ": " + e.getMessage(), e);
        }
    }

    /**
     * Tells when the database answers no more until it is opened again, as an embedded one after a
     * disk error; maybe more than once, on the thread that has found out.
     */
    public void onBroken(Consumer<String> told) {
        broken = told;
    }

    /** The incarnation of this database: made with it, and the origin that others know it by. */
    public UUID incarnation() {
        return database;
    }

    /**
     * Records a data piece, durably.
     *
     * @return its sequence number in the outbox; 0 when the row had come from another database
     * @throws CatalogException.StaleEpoch a higher epoch was obeyed
     * @throws CatalogException.Corrupt the piece is recorded with another content
     * @throws CatalogException.Refused a field is longer than its column (SCHEMA.md)
     */
    public long record(Epoch epoch, CatalogRow row) throws CatalogException {
        return write(epoch, tx -> tx.record(row));
    }

    /**
     * Leaves a tombstone, durably; the first reason stands.
     *
     * @return its sequence number in the outbox; 0 when the decision had come from another database
     * @throws CatalogException.NotFound no such piece
     */
    public long forget(Epoch epoch, UUID piece, String reason) throws CatalogException {
        return write(epoch, tx -> tx.forget(piece, reason));
    }

    /**
     * Applies a batch of another database's outbox, exactly once, durably.
     *
     * @param origin incarnation of that database
     * @param batch consecutive entries; those that were applied before are skipped
     * @param gate asked for each piece that is new here, in order; the batch stops before the first
     *     that is not durable
     * @return the cursor: all entries up to it are applied
     * @throws CatalogException.Refused a gap or a disordered batch; nothing applied
     * @throws CatalogException.Parked a piece is not durable here; what precedes it is applied
     * @throws CatalogException.Corrupt a piece is known here with another content; nothing applied
     */
    public long apply(Epoch epoch, UUID origin, List<OutboxEntry> batch, PieceGate gate)
            throws CatalogException {
        if (origin.equals(database)) {
            throw new CatalogException.Refused(
                    "Catalog database " + database + " was sent its own outbox",
                    "Check the addresses in the Replication rows");
        }
        Gated gated = gated(origin, batch, gate);
        Consumer<String> step =
                gated.entries().isEmpty() ? seams.step() : seams.step().andThen(seams.applying());
        long cursor = write(epoch, step, tx -> tx.apply(origin, gated.entries()));
        if (gated.waiting() != null) {
            throw new CatalogException.Parked(
                    origin,
                    gated.waiting().change().piece(),
                    gated.waiting().seq(),
                    cursor,
                    gated.why());
        }
        return cursor;
    }

    /**
     * Writes rows that were read back from PIECE frames, after the loss of a database; may be run
     * again. Rows that are there stay. Later a {@link #record} or {@link #apply} of the same piece
     * replaces the rebuilt row, because a PIECE frame does not know every optional field.
     *
     * @return how many were added
     * @throws CatalogException.Corrupt a piece is known here with another PIECE frame
     */
    public long rebuildFrom(Epoch epoch, Stream<CatalogRow> rows) throws CatalogException {
        long added = 0;
        List<CatalogRow> batch = new ArrayList<>(REBUILD_BATCH);
        Iterator<CatalogRow> iterator = rows.iterator();
        while (iterator.hasNext()) {
            batch.add(iterator.next());
            if (batch.size() == REBUILD_BATCH || !iterator.hasNext()) {
                List<CatalogRow> some = List.copyOf(batch);
                added += write(epoch, tx -> tx.rebuild(some));
                batch.clear();
            }
        }
        return added;
    }

    /** One piece, also a forgotten one. */
    public Optional<CatalogPiece> get(UUID piece) throws CatalogException {
        return read(() ->
                pieces.findById(piece.toString()).map(row -> withFields(List.of(row)).getFirst()));
    }

    /**
     * Pieces, newest backup first.
     *
     * @param after {@link CatalogPage#next()} of the page before
     * @param limit 1 to {@link #MAX_BATCH}
     */
    public CatalogPage list(CatalogFilter filter, Optional<PageToken> after, int limit)
            throws CatalogException {
        int rows = checkLimit(limit);
        return read(() -> {
            List<PieceEntity> found = pieces.page(filter, after, rows + 1);
            boolean more = found.size() > rows;
            List<CatalogPiece> page = withFields(more ? found.subList(0, rows) : found);
            return new CatalogPage(
                    page,
                    more
                            ? Optional.of(
                                    new PageToken(
                                            page.getLast().row().record().backupTimeMicros(),
                                            page.getLast().row().piece()))
                            : Optional.empty());
        });
    }

    /**
     * Durable entries of this database's outbox.
     *
     * @param after 0 for the beginning
     * @param limit 1 to {@link #MAX_BATCH}
     * @return entries {@code after + 1, after + 2, ...}; empty when there is nothing newer
     */
    public List<OutboxEntry> readOutbox(long after, int limit) throws CatalogException {
        int rows = checkLimit(limit);
        if (after < 0) {
            throw new CatalogException.Refused(
                    "Outbox position " + after, "Give 0 or an entry's sequence number");
        }
        long upTo =
                Math.min(durableSeq.get(), after > Long.MAX_VALUE - rows ? after : after + rows);
        if (upTo <= after) {
            return List.of();
        }
        List<OutboxEntry> entries = new ArrayList<>();
        for (OutboxEntity row : read(() -> outbox.between(after, upTo))) {
            entries.add(CatalogCodec.outbox(row));
        }
        if (entries.size() != upTo - after) {
            throw new CatalogException.Corrupt(
                    "The outbox of catalog database "
                            + database
                            + " has "
                            + entries.size()
                            + " entries in ("
                            + after
                            + ", "
                            + upTo
                            + "]",
                    "Rebuild this catalog from its storage");
        }
        return entries;
    }

    /** The newest durable outbox entry; 0 for none. */
    public long lastSeq() {
        return durableSeq.get();
    }

    /** Which database this is, and how far it has got. */
    public CatalogStatus status() throws CatalogException {
        return read(() -> {
            Map<UUID, CatalogStatus.Applied> cursors = new HashMap<>();
            for (AppliedEntity row : applied.findAll()) {
                cursors.put(
                        UUID.fromString(row.originDatabase()),
                        new CatalogStatus.Applied(row.seq(), Epoch.decode(row.epoch())));
            }
            return new CatalogStatus(
                    database,
                    durableSeq.get(),
                    obeyed(fence.findById(FenceEntity.ID).orElseThrow()),
                    tombstones.countLivePieces(),
                    cursors,
                    product);
        });
    }

    /**
     * A consistent copy of every piece that is not forgotten, as of one moment, in a new embedded
     * database of its own; this one is only read. For whoever must not touch it: a rehearsal.
     *
     * @param folder empty
     * @throws IOException when one of the two cannot be used; what was copied is left to the caller
     */
    public CatalogDatabase copyTo(Path folder) throws IOException {
        CatalogDatabase copy = open(CatalogDatabaseConfig.embedded(folder));
        // The copy is written by another thread: this one stands in a transaction of this database.
        try (ExecutorService writer = Executors.newSingleThreadExecutor()) {
            DefaultTransactionDefinition snapshot = new DefaultTransactionDefinition();
            snapshot.setIsolationLevel(
                    mariaDb
                            ? TransactionDefinition.Isolation.REPEATABLE_READ
                            : TransactionDefinition.Isolation.SERIALIZABLE);
            transactions.execute(
                    snapshot,
                    status -> {
                        Optional<PageToken> after = Optional.empty();
                        do {
                            CatalogPage page = list(CatalogFilter.all(), after, MAX_BATCH);
                            List<CatalogRow> rows =
                                    page.pieces().stream().map(CatalogPiece::row).toList();
                            var _ = writer.submit(() -> copy.add(rows)).get();
                            after = page.next();
                        } while (after.isPresent());
                        return null;
                    });
            return copy;
        } catch (RuntimeException e) {
            copy.close();
            throw new IOException(
                    "Catalog database " + database + " could not be copied: " + e.getMessage(), e);
        }
    }

    private long add(List<CatalogRow> rows) throws CatalogException {
        return write(
                new Epoch(0, Site.LOCAL),
                tx -> {
                    for (CatalogRow row : rows) {
                        var _ = tx.place(row, false);
                    }
                    return (long) rows.size();
                });
    }

    /** Closes the connections; an embedded database, too. */
    @Override
    public void close() {
        context.close();
        lock.close();
    }

    // ---------------------------------------------------------------- transactions

    /** What a write does once it holds the lock. */
    private interface Work<T> {
        T run(Transaction transaction) throws CatalogException;
    }

    /** Carries a refusal through the transaction manager, which rolls back. */
    private static final class Abort extends RuntimeException {
        private final CatalogException reason;

        Abort(CatalogException reason) {
            super(reason);
            this.reason = reason;
        }
    }

    private <T> T write(Epoch epoch, Work<T> work) throws CatalogException {
        return write(epoch, seams.step(), work);
    }

    private <T> T write(Epoch epoch, Consumer<String> step, Work<T> work) throws CatalogException {
        Transaction transaction = new Transaction();
        T result;
        try {
            result =
                    transactions.executeWrite(status -> {
                        try {
                            transaction.begin(epoch);
                            step.accept("locked");
                            T done = work.run(transaction);
                            transaction.end();
                            step.accept("written");
                            return done;
                        } catch (CatalogException e) {
                            throw new Abort(e);
                        } catch (RuntimeException e) {
                            transaction.failure = e;
                            throw e;
                        }
                    });
        } catch (Abort abort) {
            throw abort.reason;
        } catch (RuntimeException thrown) {
            // SQLite rolls back by itself, and then what closes the transaction fails: name the
            // reason.
            RuntimeException e = transaction.failure == null ? thrown : transaction.failure;
            tellIfBroken(e);
            if (transaction.committing) {
                throw new CatalogException.Unknown(database, e);
            }
            throw new CatalogException.Unavailable(database, e);
        }
        step.accept("committed");
        durableSeq.accumulateAndGet(transaction.lastSeq, Math::max);
        return result;
    }

    private interface Read<T> {
        T run();
    }

    private <T> T read(Read<T> work) throws CatalogException {
        try {
            // Not declared as reading only: SQLite's driver cannot change that of an open
            // connection.
            return transactions.execute(TransactionDefinition.DEFAULT, status -> work.run());
        } catch (RuntimeException e) {
            tellIfBroken(e);
            throw new CatalogException.Unavailable(database, e);
        }
    }

    private void tellIfBroken(RuntimeException thrown) {
        String why = Durability.whyBroken(thrown);
        if (why != null) {
            broken.accept(why);
        }
    }

    private static int checkLimit(int limit) throws CatalogException {
        if (limit < 1 || limit > MAX_BATCH) {
            throw new CatalogException.Refused(
                    "Limit " + limit, "Give a limit from 1 to " + MAX_BATCH);
        }
        return limit;
    }

    private static Optional<Epoch> obeyed(FenceEntity row) {
        return row.epoch() == NO_EPOCH ? Optional.empty() : Optional.of(Epoch.decode(row.epoch()));
    }

    /** The open transaction of one write. Holds the lock on the fence row. */
    private final class Transaction {
        private Epoch epoch = new Epoch(0, Site.LOCAL);
        private long firstSeq;
        private long lastSeq;
        private boolean committing;
        private @Nullable RuntimeException failure;

        void begin(Epoch given) throws CatalogException {
            if (fence.lock() != 1) {
                throw new IllegalStateException("Table fence has lost its row");
            }
            FenceEntity row = fence.findById(FenceEntity.ID).orElseThrow();
            if (given.encoded() < row.epoch()) {
                throw new CatalogException.StaleEpoch(database, given, Epoch.decode(row.epoch()));
            }
            if (given.encoded() > row.epoch()) {
                fence.epoch(given.encoded());
            }
            epoch = given;
            firstSeq = row.lastSeq();
            lastSeq = row.lastSeq();
        }

        void end() {
            if (lastSeq != firstSeq) {
                fence.lastSeq(lastSeq);
            }
            committing = true;
        }

        private long append(CatalogChange change) {
            outbox.save(CatalogCodec.outbox(new OutboxEntry(++lastSeq, epoch, change)));
            return lastSeq;
        }

        long record(CatalogRow row) throws CatalogException {
            if (place(row, false)) {
                return append(new CatalogChange.Recorded(row));
            }
            return outbox.lastSeqOf(row.piece().toString(), CatalogCodec.RECORDED).orElse(0L);
        }

        long rebuild(List<CatalogRow> rows) throws CatalogException {
            long added = 0;
            for (CatalogRow row : rows) {
                if (place(row, true)) {
                    append(new CatalogChange.Rebuilt(row));
                    added++;
                }
            }
            return added;
        }

        long forget(UUID piece, String reason) throws CatalogException {
            String id = piece.toString();
            if (tombstones.existsById(id)) {
                return outbox.lastSeqOf(id, CatalogCodec.FORGOTTEN).orElse(0L);
            }
            if (!pieces.existsById(id)) {
                throw new CatalogException.NotFound(database, piece);
            }
            CatalogLimits.check("reason", reason, CatalogLimits.REASON);
            Tombstone tombstone = new Tombstone(piece, reason, epoch);
            bury(tombstone);
            return append(new CatalogChange.Forgotten(tombstone));
        }

        long apply(UUID origin, List<OutboxEntry> batch) throws CatalogException {
            long cursor = cursor(origin);
            switch (OutboxApply.plan(cursor, batch)) {
                case OutboxApply.Refuse(String message) -> throw refused(origin, message);
                case OutboxApply.Apply(List<OutboxEntry> entries, long moved) -> {
                    for (OutboxEntry entry : entries) {
                        switch (entry.change()) {
                            case CatalogChange.Recorded(CatalogRow row) -> place(row, false);
                            case CatalogChange.Rebuilt(CatalogRow row) -> place(row, true);
                            case CatalogChange.Forgotten(Tombstone tombstone) -> bury(tombstone);
                        }
                    }
                    if (!entries.isEmpty()) {
                        move(
                                new AppliedEntity(
                                        origin.toString(),
                                        moved,
                                        entries.getLast().epoch().encoded()));
                    }
                    return moved;
                }
            }
        }

        /** Puts a row where there is none, or over a rebuilt one. False: it is there already. */
        private boolean place(CatalogRow row, boolean rebuilt) throws CatalogException {
            CatalogLimits.check(row);
            String id = row.piece().toString();
            PieceEntity there = pieces.findById(id).orElse(null);
            if (there == null) {
                pieces.save(
                        CatalogCodec.piece(
                                row, rebuilt ? CatalogCodec.REBUILT : CatalogCodec.RECORDED));
                fields.saveAll(CatalogCodec.optional(row));
                return true;
            }
            CatalogRow known = withFields(List.of(there)).getFirst().row();
            if (!known.header().equals(row.header())) {
                throw different(known, row);
            }
            if (rebuilt) {
                return false;
            }
            if (there.rowSource().equals(CatalogCodec.REBUILT)) {
                pieces.update(CatalogCodec.piece(row, CatalogCodec.RECORDED));
                fields.deleteOf(id);
                fields.saveAll(CatalogCodec.optional(row));
                return true;
            }
            if (!known.equals(row)) {
                throw different(known, row);
            }
            return false;
        }

        private void move(AppliedEntity cursor) {
            if (applied.existsById(cursor.originDatabase())) {
                applied.update(cursor);
            } else {
                applied.save(cursor);
            }
        }

        private void bury(Tombstone tombstone) {
            if (!tombstones.existsById(tombstone.piece().toString())) {
                tombstones.save(
                        new TombstoneEntity(
                                tombstone.piece().toString(),
                                tombstone.reason(),
                                tombstone.epoch().encoded()));
            }
        }
    }

    private static CatalogException.Corrupt different(CatalogRow known, CatalogRow given) {
        return new CatalogException.Corrupt(
                "Piece "
                        + given.piece()
                        + " is recorded with another content; recorded: "
                        + known
                        + "; given: "
                        + given,
                "Compare both with the PIECE frame in the storage, and keep the one that agrees");
    }

    private static CatalogException.Refused refused(UUID origin, String message) {
        return new CatalogException.Refused(
                "Batch of catalog database " + origin + " refused: " + message,
                "Ask for this catalog's status, and send from the entry after the applied one");
    }

    private long cursor(UUID origin) {
        return applied.findById(origin.toString()).map(AppliedEntity::seq).orElse(0L);
    }

    // ---------------------------------------------------------------- gate

    /** The beginning of a batch that may be applied, and the entry that waits, if one does. */
    private record Gated(List<OutboxEntry> entries, @Nullable OutboxEntry waiting, String why) {}

    /** Asks the gate before the transaction: it may be slow, and the lock is everybody's. */
    private Gated gated(UUID origin, List<OutboxEntry> batch, PieceGate gate)
            throws CatalogException {
        List<OutboxEntry> fresh =
                switch (OutboxApply.plan(read(() -> cursor(origin)), batch)) {
                    case OutboxApply.Refuse(String message) -> throw refused(origin, message);
                    case OutboxApply.Apply(List<OutboxEntry> entries, long moved) -> entries;
                };
        Set<String> known = known(fresh);
        for (OutboxEntry entry : fresh) {
            String why = whyItWaits(entry.change(), known, gate);
            if (why != null) {
                return new Gated(batch.subList(0, batch.indexOf(entry)), entry, why);
            }
        }
        return new Gated(batch, null, "");
    }

    private static @Nullable String whyItWaits(
            CatalogChange change, Set<String> known, PieceGate gate) {
        CatalogRow row =
                switch (change) {
                    case CatalogChange.Recorded(CatalogRow recorded) -> recorded;
                    case CatalogChange.Rebuilt(CatalogRow rebuilt) -> rebuilt;
                    case CatalogChange.Forgotten f -> null;
                };
        if (row == null) {
            return null;
        }
        if (known.contains(row.piece().toString())) {
            return null;
        }
        try {
            return gate.isDurable(row.header())
                    ? null
                    : "its PIECE frame " + row.header() + " is not durable at this site";
        } catch (IOException e) {
            return "its storage could not be asked: " + e.getMessage();
        }
    }

    /** Pieces that have a row or a tombstone here. */
    private Set<String> known(List<OutboxEntry> entries) throws CatalogException {
        Set<String> ids = new HashSet<>();
        entries.forEach(entry -> ids.add(entry.change().piece().toString()));
        if (ids.isEmpty()) {
            return ids;
        }
        return read(() -> {
            Set<String> known = new HashSet<>(pieces.known(ids));
            tombstones.ofPieces(ids).forEach(row -> known.add(row.pieceId()));
            return known;
        });
    }

    // ---------------------------------------------------------------- rows

    private List<CatalogPiece> withFields(List<PieceEntity> rows) {
        if (rows.isEmpty()) {
            return List.of();
        }
        Map<String, Map<String, String>> optional = new LinkedHashMap<>();
        rows.forEach(row -> optional.put(row.pieceId(), new TreeMap<>()));
        Collection<String> ids = optional.keySet();
        for (OptionalField field : fields.ofPieces(ids)) {
            Map<String, String> of = optional.get(field.key().pieceId());
            if (of != null) {
                of.put(field.key().fieldName(), field.fieldValue());
            }
        }
        Map<String, Tombstone> forgotten = new HashMap<>();
        for (TombstoneEntity row : tombstones.ofPieces(ids)) {
            forgotten.put(
                    row.pieceId(),
                    new Tombstone(
                            UUID.fromString(row.pieceId()),
                            row.reason(),
                            Epoch.decode(row.epoch())));
        }
        List<CatalogPiece> found = new ArrayList<>(rows.size());
        for (PieceEntity row : rows) {
            Map<String, String> of = optional.get(row.pieceId());
            found.add(
                    new CatalogPiece(
                            CatalogCodec.row(row, of == null ? Map.of() : of),
                            Optional.ofNullable(forgotten.get(row.pieceId()))));
        }
        return found;
    }
}
