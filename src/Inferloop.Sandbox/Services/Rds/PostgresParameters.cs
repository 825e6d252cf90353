using System.Globalization;
using Inferloop.Sandbox.Runtime;

namespace Inferloop.Sandbox.Services.Rds;

/// <summary>A parameter of a PostgreSQL parameter group.</summary>
internal sealed record PostgresParameter(string Name, bool IsStatic, string DataType, string Allowed, string? Default, bool IsModifiable = true, int FirstMajor = 0, int LastMajor = 99)
{
    /// <summary>Whether a value, which may be a formula of the instance's size, is one the parameter takes.</summary>
    public bool Takes(string value)
    {
        if (Allowed.Length == 0 || value.Contains('{', StringComparison.Ordinal))
        {
            return true;
        }
        if (DataType is "integer" or "float")
        {
            var (low, high) = RangeOf(Allowed);
            return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= low && number <= high;
        }
        var choices = Allowed.Split(',');
        return DataType == "list" ? value.Split(',').All(item => choices.Contains(item.Trim(), StringComparer.OrdinalIgnoreCase)) : choices.Contains(value, StringComparer.OrdinalIgnoreCase);
    }

    private static (double Low, double High) RangeOf(string allowed)
    {
        var at = allowed.IndexOf('-', 1);
        return at > 0 && double.TryParse(allowed[..at], NumberStyles.Float, CultureInfo.InvariantCulture, out var low) && double.TryParse(allowed[(at + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var high)
            ? (low, high)
            : (double.MinValue, double.MaxValue);
    }
}

/// <summary>
/// Parameters of RDS for PostgreSQL that operators set, with how they apply. Source: the RDS guide's list of parameters and PostgreSQL's
/// <c>pg_settings</c> (context <c>postmaster</c> is static, all else dynamic).
/// </summary>
internal static class PostgresParameters
{
    private static readonly PostgresParameter[] Table = Read("""
        application_name|d|string||
        archive_mode|s|boolean|on,off|on|fixed
        archive_timeout|d|integer|0-2147483647|300|fixed
        array_nulls|d|boolean|0,1|
        auto_explain.log_analyze|d|boolean|0,1|
        auto_explain.log_buffers|d|boolean|0,1|
        auto_explain.log_format|d|string|text,xml,json,yaml|
        auto_explain.log_min_duration|d|integer|-1-2147483647|
        autovacuum|d|boolean|0,1|1
        autovacuum_analyze_scale_factor|d|float|0-100|0.05
        autovacuum_analyze_threshold|d|integer|0-2147483647|
        autovacuum_freeze_max_age|s|integer|100000-2000000000|
        autovacuum_max_workers|s|integer|1-262143|GREATEST({DBInstanceClassMemory/64371566592},3)
        autovacuum_multixact_freeze_max_age|s|integer|10000-2000000000|
        autovacuum_naptime|d|integer|1-2147483|15
        autovacuum_vacuum_cost_delay|d|float|-1-100|
        autovacuum_vacuum_cost_limit|d|integer|-1-10000|GREATEST({log(DBInstanceClassMemory/21474836480)*600},200)
        autovacuum_vacuum_insert_scale_factor|d|float|0-100||13
        autovacuum_vacuum_insert_threshold|d|integer|-1-2147483647||13
        autovacuum_vacuum_scale_factor|d|float|0-100|0.1
        autovacuum_vacuum_threshold|d|integer|0-2147483647|
        autovacuum_work_mem|d|integer|-1-2147483647|GREATEST({DBInstanceClassMemory/32768},131072)
        backend_flush_after|d|integer|0-256|
        bgwriter_delay|d|integer|10-10000|
        bgwriter_lru_maxpages|d|integer|0-1073741823|
        bgwriter_lru_multiplier|d|float|0-10|
        bytea_output|d|string|hex,escape|
        checkpoint_completion_target|d|float|0-1|0.9
        checkpoint_timeout|d|integer|30-86400|
        checkpoint_warning|d|integer|0-2147483647|
        client_encoding|d|string||UTF8
        client_min_messages|d|string|debug5,debug4,debug3,debug2,debug1,log,notice,warning,error|
        commit_delay|d|integer|0-100000|
        constraint_exclusion|d|string|partition,on,off|
        cpu_index_tuple_cost|d|float|0-1.79769e+308|
        cpu_tuple_cost|d|float|0-1.79769e+308|
        data_directory|s|string||/rdsdbdata/db|fixed
        datestyle|d|string||
        deadlock_timeout|d|integer|1-2147483647|
        default_statistics_target|d|integer|1-10000|
        default_toast_compression|d|string|pglz,lz4||14
        default_transaction_isolation|d|string|serializable,repeatable read,read committed,read uncommitted|
        default_transaction_read_only|d|boolean|0,1|
        effective_cache_size|d|integer|1-2147483647|{DBInstanceClassMemory/16384}
        effective_io_concurrency|d|integer|0-1000|
        enable_hashjoin|d|boolean|0,1|
        enable_indexscan|d|boolean|0,1|
        enable_mergejoin|d|boolean|0,1|
        enable_nestloop|d|boolean|0,1|
        enable_partitionwise_aggregate|d|boolean|0,1|
        enable_partitionwise_join|d|boolean|0,1|
        enable_seqscan|d|boolean|0,1|
        fsync|s|boolean|1|1|fixed
        full_page_writes|d|boolean|1|1|fixed
        gin_pending_list_limit|d|integer|64-2147483647|
        hot_standby_feedback|d|boolean|0,1|
        huge_pages|s|string|on,off|
        idle_in_transaction_session_timeout|d|integer|0-2147483647|86400000
        idle_session_timeout|d|integer|0-2147483647||14
        intervalstyle|d|string|postgres,postgres_verbose,sql_standard,iso_8601|
        jit|d|boolean|0,1||12
        join_collapse_limit|d|integer|1-2147483647|
        lc_messages|d|string||
        listen_addresses|s|string||*|fixed
        lock_timeout|d|integer|0-2147483647|
        log_autovacuum_min_duration|d|integer|-1-2147483647|10000
        log_checkpoints|d|boolean|0,1|1
        log_connections|d|string||
        log_destination|d|string|stderr,csvlog,jsonlog|stderr
        log_disconnections|d|boolean|0,1|
        log_duration|d|boolean|0,1|
        log_error_verbosity|d|string|terse,default,verbose|
        log_filename|d|string|postgresql.log.%Y-%m-%d-%H,postgresql.log.%Y-%m-%d-%H%M|postgresql.log.%Y-%m-%d-%H
        log_hostname|d|boolean|0,1|0
        log_line_prefix|d|string||%t:%r:%u@%d:[%p]:
        log_lock_waits|d|boolean|0,1|
        log_min_duration_sample|d|integer|-1-2147483647||13
        log_min_duration_statement|d|integer|-1-2147483647|
        log_min_error_statement|d|string|debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|
        log_min_messages|d|string|debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|
        log_parser_stats|d|boolean|0,1|
        log_planner_stats|d|boolean|0,1|
        log_replication_commands|d|boolean|0,1|
        log_rotation_age|d|integer|1-1440|60
        log_rotation_size|d|integer|50000-1000000|
        log_statement|d|string|none,ddl,mod,all|
        log_statement_sample_rate|d|float|0-1||13
        log_statement_stats|d|boolean|0,1|
        log_temp_files|d|integer|-1-2147483647|
        log_timezone|d|string||UTC
        logging_collector|s|boolean|1|1|fixed
        logical_decoding_work_mem|d|integer|64-2147483647||13
        maintenance_io_concurrency|d|integer|0-1000|1
        maintenance_work_mem|d|integer|1024-2147483647|GREATEST({DBInstanceClassMemory*1024/63963136},65536)
        max_connections|s|integer|6-8388607|LEAST({DBInstanceClassMemory/9531392},5000)
        max_files_per_process|s|integer|64-2147483647|
        max_locks_per_transaction|s|integer|10-2147483647|64
        max_logical_replication_workers|s|integer|0-262143|
        max_parallel_maintenance_workers|d|integer|0-1024|
        max_parallel_workers|d|integer|0-1024|GREATEST({DBInstanceVCPU/2},8)
        max_parallel_workers_per_gather|d|integer|0-1024|
        max_prepared_transactions|s|integer|0-262143|0
        max_replication_slots|s|integer|0-262143|20
        max_slot_wal_keep_size|d|integer|-1-2147483647||13
        max_stack_depth|d|integer|100-2147483647|6144
        max_standby_archive_delay|d|integer|-1-2147483647|
        max_standby_streaming_delay|d|integer|-1-2147483647|14000
        max_wal_senders|s|integer|5-262143|35
        max_wal_size|d|integer|128-201326592|GREATEST({log(DBInstanceClassMemory/21474836480)*1024},2048)
        max_worker_processes|s|integer|0-262143|GREATEST({DBInstanceVCPU*2},8)
        min_wal_size|d|integer|32-201326592|192
        old_snapshot_threshold|s|integer|-1-86400||0|16
        parallel_leader_participation|d|boolean|0,1|
        password_encryption|d|string|md5,scram-sha-256|
        pg_stat_statements.max|s|integer|100-2147483647|
        pg_stat_statements.save|d|boolean|0,1|
        pg_stat_statements.track|d|string|none,top,all|top
        pg_stat_statements.track_utility|d|boolean|0,1|
        pgaudit.log|d|list|ddl,function,misc,read,role,write,none,all,-ddl,-function,-misc,-read,-role,-write|
        pgaudit.log_catalog|d|boolean|0,1|
        pgaudit.role|d|string|rds_pgaudit|
        plan_cache_mode|d|string|auto,force_generic_plan,force_custom_plan|
        port|s|integer|1150-65535|{EndPointPort}|fixed
        quote_all_identifiers|d|boolean|0,1|
        random_page_cost|d|float|0-1.79769e+308|
        rds.accepted_password_auth_method|d|string|md5+scram,scram|md5+scram
        rds.allowed_extensions|d|string||*
        rds.adaptive_autovacuum|d|boolean|0,1|1
        rds.custom_dns_resolution|s|boolean|0,1|0
        rds.enable_plan_management|s|boolean|0,1|0
        rds.extensions|s|string|||fixed
        rds.force_admin_logging_level|d|string|disabled,debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|
        rds.force_autovacuum_logging_level|d|string|disabled,debug5,debug4,debug3,debug2,debug1,info,notice,warning,error,log,fatal,panic|warning
        rds.force_ssl|d|boolean|0,1|ssl
        rds.log_retention_period|d|integer|1440-10080|4320
        rds.logical_replication|s|boolean|0,1|0
        rds.pg_stat_ramdisk_size|s|integer|0-1024|0|14
        rds.rds_superuser_reserved_connections|s|integer|0-8388607|2|16
        rds.restrict_password_commands|s|boolean|0,1|
        rds.superuser_variables|s|string||session_replication_role|fixed
        recovery_min_apply_delay|d|integer|0-86400000|
        restart_after_crash|d|boolean|0,1|
        row_security|d|boolean|0,1|
        search_path|d|string||
        seq_page_cost|d|float|0-1.79769e+308|
        session_replication_role|d|string|origin,replica,local|
        shared_buffers|s|integer|16-1073741823|{DBInstanceClassMemory/32768}
        shared_preload_libraries|s|list|auto_explain,orafce,pgaudit,pglogical,pg_bigm,pg_cron,pg_hint_plan,pg_prewarm,pg_similarity,pg_stat_statements,pg_tle,pg_transport,plprofiler,plrust,rdkit|pg_stat_statements
        ssl|s|boolean|1,0|1|fixed
        ssl_ciphers|d|list|HIGH,!aNULL,!SSLv3,!3DES,ECDHE-RSA-AES128-SHA,ECDHE-RSA-AES128-SHA256,ECDHE-RSA-AES128-GCM-SHA256,ECDHE-RSA-AES256-SHA,ECDHE-RSA-AES256-GCM-SHA384|
        ssl_max_protocol_version|d|string|TLSv1,TLSv1.1,TLSv1.2,TLSv1.3||12
        ssl_min_protocol_version|d|string|TLSv1,TLSv1.1,TLSv1.2,TLSv1.3|TLSv1.2|12
        statement_timeout|d|integer|0-2147483647|
        superuser_reserved_connections|s|integer|0-8388607|3
        synchronous_commit|d|string|local,on,off|on
        synchronous_standby_names|d|string|||fixed
        tcp_keepalives_count|d|integer|0-2147483647|
        tcp_keepalives_idle|d|integer|0-2147483647|
        tcp_keepalives_interval|d|integer|0-2147483647|
        temp_buffers|d|integer|100-1073741823|
        temp_file_limit|d|integer|-1-2147483647|
        timezone|d|string||UTC
        track_activities|d|boolean|0,1|
        track_activity_query_size|s|integer|100-1048576|4096
        track_commit_timestamp|s|boolean|0,1|
        track_counts|d|boolean|0,1|
        track_functions|d|string|none,pl,all|
        track_io_timing|d|boolean|0,1|1
        track_wal_io_timing|d|boolean|0,1|1|14
        transform_null_equals|d|boolean|0,1|
        unix_socket_directories|s|string||/tmp|fixed
        update_process_title|d|boolean|0,1|0
        vacuum_cost_delay|d|float|0-100|
        vacuum_cost_limit|d|integer|1-10000|
        vacuum_cost_page_miss|d|integer|0-10000|5
        vacuum_failsafe_age|d|integer|0-2100000000|1200000000|14
        vacuum_freeze_min_age|d|integer|0-1000000000|
        vacuum_freeze_table_age|d|integer|0-2000000000|
        wal_buffers|s|integer|-1-2147483647|
        wal_compression|d|string|0,1,pglz,lz4,zstd,on,off|1
        wal_keep_size|d|integer|0-2147483647|2048|13
        wal_level|s|string||replica|fixed
        wal_receiver_create_temp_slot|d|boolean|0,1|0|13
        wal_receiver_status_interval|d|integer|0-2147483|
        wal_receiver_timeout|d|integer|0-3600000|30000
        wal_sender_timeout|d|integer|0-3600000|
        work_mem|d|integer|64-2147483647|
        xmlbinary|d|string|base64,hex|
        xmloption|d|string|content,document|
        """);

    /// <summary>The parameters of a family such as <c>postgres17</c>.</summary>
    public static IReadOnlyList<PostgresParameter> Of(string family)
    {
        var major = int.Parse(family["postgres".Length..], CultureInfo.InvariantCulture);
        return Table.Where(parameter => parameter.FirstMajor <= major && major <= parameter.LastMajor)
            .Select(parameter => parameter.Name == "rds.force_ssl" ? parameter with { Default = major >= 15 ? "1" : "0" } : parameter).ToList();
    }

    public static PostgresParameter Require(string family, string name) => Of(family).FirstOrDefault(parameter => parameter.Name == name)
        ?? throw new ServiceFault("InvalidParameterValue", $"Could not find parameter with name: {name}");

    /// <summary>One line a parameter: name, static or dynamic, type, allowed values, default, <c>fixed</c> or the first major version, the last.</summary>
    private static PostgresParameter[] Read(string table) => table.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(line =>
    {
        var parts = line.Split('|');
        int Number(int index, int otherwise) => parts.Length > index && int.TryParse(parts[index], NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) ? number : otherwise;
        return new PostgresParameter(parts[0], parts[1] == "s", parts[2], parts[3], parts.Length > 4 && parts[4].Length > 0 ? parts[4] : null,
            !parts.Contains("fixed"), Number(5, 0), Number(6, 99));
    }).ToArray();
}
