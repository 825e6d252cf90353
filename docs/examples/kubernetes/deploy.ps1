<#
.SYNOPSIS
Applies the manifests beside this script to an environment's EKS cluster, filled with the environment's own values.
.EXAMPLE
./deploy.ps1 -Name demo -Stage Dev
.EXAMPLE
./deploy.ps1 -Name demo -Stage Dev -RenderOnly
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)] [string] $Name,
    [string] $Stage,
    # Writes the filled manifests and applies nothing.
    [switch] $RenderOnly
)
$ErrorActionPreference = 'Stop'
$where = @{ Name = $Name }
if ($Stage) { $where.Stage = $Stage }
$environment = Get-InferloopEnvironment @where
if (-not $environment.Outputs['EksClusterName']) { throw "'$Name' has no EKS cluster; Set-InferloopEnvironment $Name -EksEnabled `$true makes one." }
$spec = $environment.Spec
$connections = $spec.Connections
function Either([string] $first, [string] $second) { if ($first) { $first } else { $second } }
# What a release put on the cluster stays: these manifests do not know of it.
$released = @(Get-InferloopRelease @where -Target Eks | Where-Object Status -EQ Succeeded)[0]
$values = @{
    ClusterName = $environment.Outputs['EksClusterName']
    KubernetesVersion = $spec.Eks.EksVersion
    Region = $spec.Region
    ContainerImage = if ($released) { $released.Image } else { $spec.Application.ContainerImage }
    ServiceTier = "$($spec.Application.ServiceTier)".ToLowerInvariant()
    ServiceVersion = if ($released) { $released.Version } else { $spec.Application.ServiceVersion }
    LogLevel = "$($spec.Application.LogLevel)".ToUpperInvariant()
    BucketName = $environment.Outputs['BucketName']
    TableName = $environment.Outputs['TableName']
    DatabaseHost = Either $connections.DatabaseHost $environment.Outputs['DatabaseAddress']
    DatabasePort = $connections.DatabasePort
    DatabaseName = $connections.DatabaseName
    DatabaseSecretArn = Either $connections.DatabaseSecretArn $environment.Outputs['DatabaseMasterSecretArn']
    CacheHost = Either $connections.CacheHost $environment.Outputs['CachePrimaryAddress']
    CachePort = $connections.CachePort
    CacheSecretArn = Either $connections.CacheSecretArn $environment.Outputs['CacheAuthSecretArn']
    JwtSecretArn = $environment.Outputs['JwtSecretArn']
}
if (-not $RenderOnly) {
    # Only the role of -EksAdminRoleArn gets in; whoever is not signed in as it takes it.
    $role = $spec.Eks.EksAdminRoleArn
    $isRole = $role -and (& aws sts get-caller-identity --query Arn --output text) -like "*:assumed-role/$($role.Split('/')[-1])/*"
    & aws eks update-kubeconfig --region $values.Region --name $values.ClusterName @(if ($role -and -not $isRole) { '--role-arn', $role })
    if ($LASTEXITCODE) { throw 'aws eks update-kubeconfig failed.' }
}
foreach ($file in 'cluster-autoscaler.yaml', 'application.yaml') {
    $text = [IO.File]::ReadAllText([IO.Path]::Combine($PSScriptRoot, $file))
    foreach ($match in [regex]::Matches($text, '\$\{(\w+)\}')) {
        $key = $match.Groups[1].Value
        if (-not $values.ContainsKey($key)) { throw "$file asks for $key, which the environment does not have." }
        $text = $text.Replace($match.Value, "$($values[$key])")
    }
    if ($RenderOnly) { $text; '---' }
    else {
        $text | & kubectl apply -f -
        if ($LASTEXITCODE) { throw "kubectl apply of $file failed." }
    }
}
