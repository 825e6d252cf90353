using Amazon.Runtime;
using Inferloop.Operations.Imports;
using Inferloop.Templates;

namespace Inferloop.Operations.Environments;

internal sealed partial class Preflight
{
    private async Task NamesAsync(CancellationToken cancellation)
    {
        foreach (var resource in Made)
        {
            if (Named(resource) is { } name)
            {
                await GuardedAsync(PreflightCheck.Name, name, () => NameAsync(resource, name, cancellation)).ConfigureAwait(false);
            }
        }
    }

    /// <summary>The name that the template itself gives; what CloudFormation names is never taken.</summary>
    private static string? Named(EvaluatedResource resource) => (resource.Type switch
    {
        "AWS::S3::Bucket" => resource.Properties["BucketName"],
        "AWS::DynamoDB::Table" => resource.Properties["TableName"],
        "AWS::Logs::LogGroup" => resource.Properties["LogGroupName"],
        "AWS::IAM::Role" => resource.Properties["RoleName"],
        "AWS::ElasticLoadBalancingV2::LoadBalancer" => resource.Properties["Name"],
        "AWS::KMS::Alias" => resource.Properties["AliasName"],
        "AWS::SecretsManager::Secret" => resource.Properties["Name"],
        "AWS::RDS::DBInstance" => resource.Properties["DBInstanceIdentifier"],
        "AWS::ECR::Repository" => resource.Properties["RepositoryName"],
        "AWS::Backup::BackupVault" => resource.Properties["BackupVaultName"],
        _ => null,
    })?.AsString();

    private async Task NameAsync(EvaluatedResource resource, string name, CancellationToken cancellation)
    {
        bool taken;
        try
        {
            taken = await ExistsAsync(resource.Type, name, cancellation).ConfigureAwait(false);
        }
        catch (AmazonServiceException e) when (e.ErrorCode is "ResourceNotFoundException" or "NoSuchEntity" or "NoSuchEntityException" or "LoadBalancerNotFound" or "LoadBalancerNotFoundException" or "DBInstanceNotFound" or "DBInstanceNotFoundFault" or "NotFound" or "NoSuchBucket" or "RepositoryNotFoundException"
            || e.StatusCode == System.Net.HttpStatusCode.NotFound)
        {
            taken = false;
        }
        catch (AmazonServiceException e) when (resource.Type == "AWS::S3::Bucket" && e.StatusCode == System.Net.HttpStatusCode.Forbidden)
        {
            // Bucket names are the world's: this one is someone else's.
            taken = true;
        }

        if (taken)
        {
            var holder = await StackOwners.FindAsync(aws.CloudFormation, resource.Type, name, cancellation).ConfigureAwait(false);
            Add(
                PreflightSeverity.Error, PreflightCheck.Name, name,
                $"{resource.Type} of this name exists already, {(holder is null ? "kept by an earlier environment or made by another hand" : $"as '{holder.LogicalResourceId}' of the stack '{holder.StackName}'")}; '{resource.Path}' could not be created.",
                holder is null
                    ? $"Delete it if it is not needed; what is in it goes with it. Or choose another name for the environment: New-InferloopEnvironment -Name.{(RetainedTemplate.CanTake(resource.Type) ? " To keep it in a stack of its own: Import-InferloopResource." : "")}"
                    : $"Remove the stack '{holder.StackName}' if it is not needed, or choose another name for the environment: New-InferloopEnvironment -Name.");
        }
        else
        {
            Add(PreflightSeverity.Passed, PreflightCheck.Name, name, "The name is free.");
        }
    }

    private async Task<bool> ExistsAsync(string type, string name, CancellationToken cancellation)
    {
        switch (type)
        {
            case "AWS::S3::Bucket":
                await aws.S3.GetBucketLocationAsync(new Amazon.S3.Model.GetBucketLocationRequest { BucketName = name }, cancellation).ConfigureAwait(false);
                return true;
            case "AWS::DynamoDB::Table":
                await aws.DynamoDB.DescribeTableAsync(name, cancellation).ConfigureAwait(false);
                return true;
            case "AWS::Logs::LogGroup":
                var groups = await aws.Logs.DescribeLogGroupsAsync(new Amazon.CloudWatchLogs.Model.DescribeLogGroupsRequest { LogGroupNamePrefix = name }, cancellation).ConfigureAwait(false);
                return (groups.LogGroups ?? []).Exists(g => g.LogGroupName == name);
            case "AWS::IAM::Role":
                await aws.Client<Amazon.IdentityManagement.IAmazonIdentityManagementService>().GetRoleAsync(new Amazon.IdentityManagement.Model.GetRoleRequest { RoleName = name }, cancellation).ConfigureAwait(false);
                return true;
            case "AWS::ElasticLoadBalancingV2::LoadBalancer":
                var balancers = await aws.LoadBalancing.DescribeLoadBalancersAsync(new Amazon.ElasticLoadBalancingV2.Model.DescribeLoadBalancersRequest { Names = [name] }, cancellation).ConfigureAwait(false);
                return balancers.LoadBalancers is { Count: > 0 };
            case "AWS::KMS::Alias":
                var aliases = await aws.Keys.ListAliasesAsync(new Amazon.KeyManagementService.Model.ListAliasesRequest { Limit = 100 }, cancellation).ConfigureAwait(false);
                return (aliases.Aliases ?? []).Exists(a => a.AliasName == name);
            case "AWS::SecretsManager::Secret":
                await aws.Client<Amazon.SecretsManager.IAmazonSecretsManager>().DescribeSecretAsync(new Amazon.SecretsManager.Model.DescribeSecretRequest { SecretId = name }, cancellation).ConfigureAwait(false);
                return true;
            case "AWS::Backup::BackupVault":
                // Asked for one that is not there, AWS Backup answers that access is denied.
                string? token = null;
                do
                {
                    var vaults = await aws.Client<Amazon.Backup.IAmazonBackup>().ListBackupVaultsAsync(new Amazon.Backup.Model.ListBackupVaultsRequest { NextToken = token }, cancellation).ConfigureAwait(false);
                    if ((vaults.BackupVaultList ?? []).Exists(v => v.BackupVaultName == name))
                    {
                        return true;
                    }

                    token = vaults.NextToken;
                }
                while (!string.IsNullOrEmpty(token));
                return false;
            case "AWS::ECR::Repository":
                await aws.Client<Amazon.ECR.IAmazonECR>().DescribeRepositoriesAsync(new Amazon.ECR.Model.DescribeRepositoriesRequest { RepositoryNames = [name] }, cancellation).ConfigureAwait(false);
                return true;
            default:
                await aws.Client<Amazon.RDS.IAmazonRDS>().DescribeDBInstancesAsync(new Amazon.RDS.Model.DescribeDBInstancesRequest { DBInstanceIdentifier = name }, cancellation).ConfigureAwait(false);
                return true;
        }
    }
}
